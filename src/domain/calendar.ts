import { type Day, plainDate } from './day.ts'
import { dayOfHour, HOUR_MS, type Hour } from './hour.ts'

/** A stretch of time during which a zone keeps one offset from UTC. */
interface Stretch {
  readonly from_ms: number
  readonly until_ms: number
  readonly offset_ms: number
}

/**
 * The days and hours of one time zone. Asking `Temporal` costs microseconds, and every fact needs it; a zone keeps one
 * offset for months, so a calendar remembers the stretches that it has met and answers from those.
 */
export class Calendar {
  readonly timeZone: string
  #stretches: Stretch[] = []
  #last: Stretch = { from_ms: 0, until_ms: 0, offset_ms: 0 }

  /** Throws a RangeError when `Temporal` does not know the time zone. */
  constructor(timeZone: string) {
    this.timeZone = timeZone
    this.#stretchAt(0)
  }

  /** The local day of an instant, given in milliseconds since 1970. */
  dayOf(time_ms: number): Day {
    return dayOfHour(this.hourOf(time_ms))
  }

  /** The local hour of an instant, given in milliseconds since 1970. */
  hourOf(time_ms: number): Hour {
    const last = this.#last
    const stretch = time_ms >= last.from_ms && time_ms < last.until_ms ? last : this.#stretchAt(time_ms)
    return Math.floor((time_ms + stretch.offset_ms) / HOUR_MS)
  }

  /** When a local day begins, in milliseconds since 1970. */
  startOf(day: Day): number {
    return plainDate(day).toZonedDateTime(this.timeZone).epochMilliseconds
  }

  #stretchAt(time_ms: number): Stretch {
    let stretch = this.#stretches.find((known) => time_ms >= known.from_ms && time_ms < known.until_ms)
    if (stretch === undefined) {
      stretch = stretchOf(this.timeZone, time_ms)
      this.#stretches.push(stretch)
    }
    this.#last = stretch
    return stretch
  }
}

const calendars = new Map<string, Calendar>()

/** The calendar of a time zone, made once: what it has met serves every account of the zone. */
export function calendarOf(timeZone: string): Calendar {
  let calendar = calendars.get(timeZone)
  if (calendar === undefined) {
    calendar = new Calendar(timeZone)
    calendars.set(timeZone, calendar)
  }
  return calendar
}

const TIME_ZONE_NAME = /^[A-Za-z][\w+-]*(?:\/[\w+-]+)*$/

/** The name of an IANA time zone in the letters of the list, whose case clients care for; `undefined` for any other text, and for an offset. */
export function findTimeZone(text: string): string | undefined {
  if (!TIME_ZONE_NAME.test(text)) return undefined
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text).timeZoneId
  } catch {
    return undefined
  }
}

function stretchOf(timeZone: string, time_ms: number): Stretch {
  const here = Temporal.Instant.fromEpochMilliseconds(time_ms).toZonedDateTimeISO(timeZone)
  // The previous transition is strictly before its argument, so we look back from one nanosecond later.
  const from = here.add({ nanoseconds: 1 }).getTimeZoneTransition('previous')
  const until = here.getTimeZoneTransition('next')
  return {
    from_ms: from?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
    until_ms: until?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
    offset_ms: here.offsetNanoseconds / 1_000_000,
  }
}
