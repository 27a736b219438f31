import type { Day } from './day.ts'

/**
 * An hour of an account's own clocks, counted from 1970-01-01 00:00 on them: a local day and an hour of it in one number.
 * In the night in which clocks go back, two hours of time are the same hour of theirs.
 */
export type Hour = number

export const HOUR_MS = 3_600_000

const HOURS_OF_DAY = 24

/** The day that an hour lies in. */
export function dayOfHour(hour: Hour): Day {
  return Math.floor(hour / HOURS_OF_DAY)
}

/** The hour of its day, 0 to 23. */
export function hourOfDay(hour: Hour): number {
  return hour - dayOfHour(hour) * HOURS_OF_DAY
}

/** Formats an hour of the day as Meta's hourly breakdowns do, 9 as `09:00:00 - 09:59:59`. */
export function formatHourOfDay(hour_of_day: number): string {
  const hh = String(hour_of_day).padStart(2, '0')
  return `${hh}:00:00 - ${hh}:59:59`
}
