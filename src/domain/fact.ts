import { DAY_MS } from './day.ts'

/** What can happen to a thread, in the words of an import line; webhooks name the same five (contract 13.5). */
export const FACT_KINDS = ['sent', 'delivered', 'read', 'clicked', 'failed'] as const

export type FactKind = (typeof FACT_KINDS)[number]

/** Something that happened to one subscriber within one ad, as a webhook or an import line reported it. */
export interface Fact {
  readonly kind: FactKind
  /** When it happened, in milliseconds since 1970. */
  readonly at: number
  readonly ad_id: string
  readonly page_id: string
  /** The keyed hash of the `messenger_subscription_token`. */
  readonly subscriber: string
  /** The message that was sent, delivered or read; `null` for clicks and failures, which carry none. */
  readonly tracking_id: string | null
  /** The hash of the message's `mid`, where the fact carries one. */
  readonly mid: string | null
  readonly price_micros: bigint | null
  readonly country: string | null
  /** The label of the button that was clicked; no webhook tells it. */
  readonly btn_name: string | null
  /** Why a delivery failed, in Meta's words. */
  readonly error_message: string | null
}

/** Messenger's marketing messages are younger than this; an earlier time is a mistake of the sender's. */
export const FACT_AT_MIN_MS = Date.UTC(2015, 0, 1)

/** How far ahead of our clock a fact may be: clocks differ, and a fact from further ahead never happened. */
export const FACT_AHEAD_MS_MAX = DAY_MS

const SECONDS_MAX = 100_000_000_000

/**
 * Reads the time of a fact, which Meta sends in seconds or in milliseconds without saying which (contract 13.5), to
 * milliseconds. `undefined` when it is neither between 2015 and a day from `now_ms` (design 3).
 */
export function resolveFactTime(timestamp: number, now_ms: number): number | undefined {
  if (!Number.isFinite(timestamp)) return undefined
  const at = Math.floor(timestamp < SECONDS_MAX ? timestamp * 1000 : timestamp)
  return at >= FACT_AT_MIN_MS && at <= now_ms + FACT_AHEAD_MS_MAX ? at : undefined
}
