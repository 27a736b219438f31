/** The values of `date_preset`, in the order in which Meta's documentation and its error text list them (contract 4.2). */
export const DATE_PRESETS = [
  'today',
  'yesterday',
  'this_month',
  'last_month',
  'this_quarter',
  'maximum',
  'data_maximum',
  'last_3d',
  'last_7d',
  'last_14d',
  'last_28d',
  'last_30d',
  'last_90d',
  'last_week_mon_sun',
  'last_week_sun_sat',
  'last_quarter',
  'last_year',
  'this_week_mon_today',
  'this_week_sun_today',
  'this_year',
] as const

export type DatePreset = (typeof DATE_PRESETS)[number]

/** Plain dates, both ends included. */
export interface DateRange {
  readonly since: Temporal.PlainDate
  readonly until: Temporal.PlainDate
}

/** What a request without `date_preset` and `time_range` means. */
export const DATE_PRESET_DEFAULT: DatePreset = 'last_30d'

export function isDatePreset(text: string): text is DatePreset {
  return (DATE_PRESETS as readonly string[]).includes(text)
}

/**
 * Resolves a preset to dates as seen from `today` in the account's time zone (contract 4.2). `data` is the range of
 * the node's own rollup cells, `undefined` while it has none: `maximum` runs from its first day to today (design 5)
 * and `data_maximum` to its last day, so both are `undefined` for a node without data.
 */
export function resolveDatePreset(
  preset: DatePreset,
  today: Temporal.PlainDate,
  data: DateRange | undefined,
): DateRange | undefined {
  if (preset === 'data_maximum') return data
  if (preset === 'maximum') return data && { since: data.since, until: latest(today, data.since) }
  return CALENDAR_RANGES[preset](today)
}

type CalendarPreset = Exclude<DatePreset, 'maximum' | 'data_maximum'>

const CALENDAR_RANGES: { readonly [P in CalendarPreset]: (today: Temporal.PlainDate) => DateRange } = {
  today: (today) => ({ since: today, until: today }),
  yesterday: (today) => daysBefore(today, 1),
  this_month: (today) => ({ since: today.with({ day: 1 }), until: today }),
  last_month: (today) => whole(today.with({ day: 1 }).subtract({ months: 1 }), { months: 1 }),
  this_quarter: (today) => ({ since: quarterStart(today), until: today }),
  last_3d: (today) => daysBefore(today, 3),
  last_7d: (today) => daysBefore(today, 7),
  last_14d: (today) => daysBefore(today, 14),
  last_28d: (today) => daysBefore(today, 28),
  last_30d: (today) => daysBefore(today, 30),
  last_90d: (today) => daysBefore(today, 90),
  last_week_mon_sun: (today) => whole(monday(today).subtract({ days: 7 }), { days: 7 }),
  last_week_sun_sat: (today) => whole(sunday(today).subtract({ days: 7 }), { days: 7 }),
  last_quarter: (today) => whole(quarterStart(today).subtract({ months: 3 }), { months: 3 }),
  last_year: (today) => whole(today.with({ month: 1, day: 1 }).subtract({ years: 1 }), { years: 1 }),
  this_week_mon_today: (today) => ({ since: monday(today), until: today }),
  this_week_sun_today: (today) => ({ since: sunday(today), until: today }),
  this_year: (today) => ({ since: today.with({ month: 1, day: 1 }), until: today }),
}

/** So many days that end yesterday. */
function daysBefore(today: Temporal.PlainDate, days: number): DateRange {
  return { since: today.subtract({ days }), until: today.subtract({ days: 1 }) }
}

/** A period of the calendar from its first day to the day before the next one. */
function whole(since: Temporal.PlainDate, period: Temporal.DurationLike): DateRange {
  return { since, until: since.add(period).subtract({ days: 1 }) }
}

function quarterStart(date: Temporal.PlainDate): Temporal.PlainDate {
  return date.with({ month: date.month - ((date.month - 1) % 3), day: 1 })
}

function monday(date: Temporal.PlainDate): Temporal.PlainDate {
  return date.subtract({ days: date.dayOfWeek - 1 })
}

function sunday(date: Temporal.PlainDate): Temporal.PlainDate {
  return date.subtract({ days: date.dayOfWeek % 7 })
}

function latest(a: Temporal.PlainDate, b: Temporal.PlainDate): Temporal.PlainDate {
  return Temporal.PlainDate.compare(a, b) >= 0 ? a : b
}
