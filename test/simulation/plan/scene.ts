import type { SandboxEvent } from '../../../src/sandbox/event.ts'
import type { Random, Weighted } from '../../../src/sandbox/random.ts'
import { AD_PAGES, CROWDED_AD, NOTABLE_TIMES } from './universe.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** When a history plays, and what happens in it. */
export interface Scene extends Stage {
  readonly events: readonly SandboxEvent[]
}

/** When a history plays, and whose it is. */
export interface Stage {
  readonly start_ms: number
  readonly duration_ms: number
  readonly messages: number
  /** Their tokens. */
  readonly people: readonly string[]
  readonly ads: readonly string[]
}

const DURATIONS_MS: Weighted<number> = [
  [2 * HOUR_MS, 2],
  [DAY_MS, 3],
  [4 * DAY_MS, 3],
  [35 * DAY_MS, 2],
  [100 * DAY_MS, 1],
]

const ADS_MAX = 12

/** So many messages, each to anyone of as many people, reach well over a thousand of them. */
const CROWD = 2500

/**
 * Around a night in which clocks change, or the end of a month; mostly of a handful of messages, of which a short history
 * is soon found, and now and then of more people than are resolved anew in one transaction.
 */
export function planStage(random: Random): Stage {
  const duration_ms = random.pick(DURATIONS_MS)
  const start_ms = Math.floor(one(random, NOTABLE_TIMES) - random.unit() * duration_ms)
  const isCrowd = random.chance(0.04)
  const messages = isCrowd ? CROWD : Math.ceil(10 ** (0.5 + 2.2 * random.unit()))
  const people = isCrowd ? CROWD : random.integer(1, messages)
  const some = random.shuffle(Object.keys(AD_PAGES)).slice(0, random.integer(1, ADS_MAX))
  return {
    start_ms,
    duration_ms,
    messages,
    people: Array.from({ length: people }, (_, i) => `p${i}`),
    ads: isCrowd ? [CROWDED_AD] : some,
  }
}

/** A day of the scene, or soon before or after. */
export function planDay(random: Random, { start_ms, duration_ms }: Stage): string {
  const at_ms = start_ms + (random.unit() * 1.4 - 0.2) * duration_ms
  return formatDate(at_ms)
}

export function formatDate(at_ms: number): string {
  return new Date(at_ms).toISOString().slice(0, 10)
}

/** One of the values; there must be one. */
export function one<Value>(random: Random, values: readonly Value[]): Value {
  return values[random.integer(0, values.length - 1)] as Value
}
