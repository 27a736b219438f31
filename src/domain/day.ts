/** A calendar day as the count of days since 1970-01-01; which instants it holds depends on the account's time zone. */
export type Day = number

/** Days, both ends included. */
export interface DayRange {
  readonly since: Day
  readonly until: Day
}

export const DAY_MS = 86_400_000

const EPOCH = new Temporal.PlainDate(1970, 1, 1)
const DAY_TEXT = /^\d{4}-\d{2}-\d{2}$/

/** The day of a plain date. */
export function dayOf(date: Temporal.PlainDate): Day {
  return EPOCH.until(date).days
}

/** The plain date of a day. */
export function plainDate(day: Day): Temporal.PlainDate {
  return EPOCH.add({ days: day })
}

/** Parses `YYYY-MM-DD`; `undefined` when the text is no day of the calendar. */
export function parseDay(text: string): Day | undefined {
  if (!DAY_TEXT.test(text)) return undefined
  try {
    return dayOf(Temporal.PlainDate.from(text, { overflow: 'reject' }))
  } catch {
    return undefined
  }
}

/** Days are few, and each is written many times. */
const texts = new Map<Day, string>()
const TEXTS_MAX = 5000

/** Formats a day as `YYYY-MM-DD`, as `date_start` and `date_stop` are on the wire. */
export function formatDay(day: Day): string {
  let text = texts.get(day)
  if (text === undefined) {
    if (texts.size >= TEXTS_MAX) texts.clear()
    text = new Date(day * DAY_MS).toISOString().slice(0, 10)
    texts.set(day, text)
  }
  return text
}
