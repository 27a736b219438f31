import { type DatePreset, type DateRange, resolveDatePreset } from '../domain/date-preset.ts'
import { type Day, type DayRange, dayOf, plainDate } from '../domain/day.ts'
import { GraphError, HISTORY_TOO_OLD, INVALID_PARAMETER } from './error.ts'

export const TIME_INCREMENT_WORDS = ['all_days', 'monthly'] as const

/** What `time_increment` cuts a range into: nothing, calendar months, or so many days. */
export type TimeIncrement = (typeof TIME_INCREMENT_WORDS)[number] | number

/** The greatest number of days that `time_increment` may name (contract 3). */
export const TIME_INCREMENT_MAX = 90

const MONTH_DAYS_MIN = 28

/** Meta keeps no more than this (contract 4.4). */
const HISTORY_MONTHS = 37

/** Presets are resolved once a day; what they were resolved to serves every request of the day. */
const resolved = new Map<string, DayRange>()
const RESOLVED_MAX = 1000

/** Resolves a preset that does not depend on a node's data, as seen from `today`. */
export function resolveCalendarPreset(preset: DatePreset, today: Day): DayRange {
  const key = `${preset} ${today}`
  const known = resolved.get(key)
  if (known !== undefined) return known
  if (resolved.size >= RESOLVED_MAX) resolved.clear()
  const days = resolvePreset(preset, today, undefined) as DayRange
  resolved.set(key, days)
  return days
}

/** Resolves any preset; `undefined` for one that asks for a node's data while it has none. */
export function resolvePreset(preset: DatePreset, today: Day, data: DayRange | undefined): DayRange | undefined {
  const range = resolveDatePreset(preset, plainDate(today), data && datesOf(data))
  return range && { since: dayOf(range.since), until: dayOf(range.until) }
}

/** Slices of all ranges that are asked for: more than thirteen years of days. */
export const SLICES_MAX = 5000

/** Cuts ranges into slices, one after another. Throws code 100 for more slices than anyone reads. */
export function sliceRanges(ranges: readonly DayRange[], increment: TimeIncrement): DayRange[] {
  const days = increment === 'monthly' ? MONTH_DAYS_MIN : increment
  const slices = ranges.reduce((sum, { since, until }) => sum + (days === 'all_days' ? 1 : (until - since) / days), 0)
  if (slices <= SLICES_MAX) return ranges.flatMap((range) => sliceRange(range, increment))
  throw new GraphError(
    INVALID_PARAMETER,
    `time_increment: the range has more than ${SLICES_MAX} slices, name a shorter one`,
  )
}

/** Cuts a range into slices, the first at its start and the last cut off at its end (contract 4.3). */
function sliceRange({ since, until }: DayRange, increment: TimeIncrement): DayRange[] {
  if (increment === 'all_days') return [{ since, until }]
  const slices: DayRange[] = []
  for (let start = since; start <= until; ) {
    const next = increment === 'monthly' ? monthAfter(start) : start + increment
    slices.push({ since: start, until: Math.min(next - 1, until) })
    start = next
  }
  return slices
}

/** A range that starts before Meta's history is an error; a preset that would is cut off (contract 4.2 and 4.4). */
export function limitHistory(days: DayRange, isPreset: boolean, today: Day): DayRange | undefined {
  const first = dayOf(plainDate(today).subtract({ months: HISTORY_MONTHS }))
  if (days.since >= first) return days
  if (isPreset) return days.until < first ? undefined : { since: first, until: days.until }
  const message = `The start date of the time range cannot be beyond ${HISTORY_MONTHS} months from the current date`
  throw new GraphError(HISTORY_TOO_OLD, message)
}

function datesOf({ since, until }: DayRange): DateRange {
  return { since: plainDate(since), until: plainDate(until) }
}

function monthAfter(day: Day): Day {
  return dayOf(plainDate(day).with({ day: 1 }).add({ months: 1 }))
}

/** Whether each slice starts after the one before it has ended. */
export function isAscending(slices: readonly DayRange[]): boolean {
  return slices.every(({ since }, i) => i === 0 || since > (slices[i - 1] as DayRange).until)
}

/** Finds the slices that a day lies in, by their places: one at most, unless ranges overlap. */
export function sliceFinder(slices: readonly DayRange[]): (day: Day) => readonly number[] {
  if (!isAscending(slices))
    return (day) => slices.flatMap(({ since, until }, i) => (day >= since && day <= until ? [i] : []))
  return (day) => {
    const place = lastStartedBy(slices, day)
    return place >= 0 && day <= (slices[place] as DayRange).until ? [place] : []
  }
}

/** The place of the last of ascending slices that has started on a day; -1 before the first. */
function lastStartedBy(slices: readonly DayRange[], day: Day): number {
  let low = 0
  for (let high = slices.length; low < high; ) {
    const middle = (low + high) >> 1
    if ((slices[middle] as DayRange).since <= day) low = middle + 1
    else high = middle
  }
  return low - 1
}
