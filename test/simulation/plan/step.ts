import type { SandboxEvent } from '../../../src/sandbox/event.ts'
import type { Fault } from './fault.ts'
import type { Question } from './question.ts'

/** A change of the world that an administrator makes with a command, in a process of its own. */
export type Act =
  | { readonly kind: 'import'; readonly events: readonly SandboxEvent[] }
  | { readonly kind: 'zone'; readonly account_id: string; readonly time_zone: string }
  | { readonly kind: 'rates'; readonly account_id: string; readonly rates: readonly RateRow[] }
  | { readonly kind: 'countries'; readonly rows: readonly CountryRow[] }
  | { readonly kind: 'claim'; readonly campaign_id: string; readonly account_id: string }
  | { readonly kind: 'move'; readonly campaign_id: string; readonly account_id: string }
  | { readonly kind: 'link' | 'unlink'; readonly page_id: string; readonly account_id: string }
  | { readonly kind: 'prune'; readonly account_id: string; readonly before: string }
  | { readonly kind: 'forget'; readonly token: string; readonly replacement: string }

export interface RateRow {
  /** `*` for any. */
  readonly country: string
  /** `YYYY-MM-DD`. */
  readonly valid_from: string
  readonly price_micros: bigint
}

export interface CountryRow {
  readonly token: string
  readonly country: string
}

export interface Webhook {
  readonly kind: 'webhook'
  readonly events: readonly SandboxEvent[]
  readonly clicks_in: 'ms' | 's'
  /** How soon it comes again when it is not answered 200. */
  readonly retry_ms: number
}

/** Something that happens to the world at a time. A history is a list of them; any of them may be left out. */
export type Step = { readonly at_ms: number } & (
  | Webhook
  /** A body that is no webhook. */
  | { readonly kind: 'garbage'; readonly text: string }
  | { readonly kind: 'act'; readonly act: Act; readonly fault: Fault | undefined }
  /** A fault at the server's writer; a killed server is down for so long. */
  | { readonly kind: 'fault'; readonly fault: Fault; readonly down_ms: number }
  /** The database can grow by so many pages. */
  | { readonly kind: 'full'; readonly pages: number; readonly for_ms: number }
  /** Each group takes so long. */
  | { readonly kind: 'slow'; readonly commit_ms: number; readonly for_ms: number }
  /** Another program writes, and does not end. */
  | { readonly kind: 'held'; readonly for_ms: number }
  /** The server's clock is so far off from now on. */
  | { readonly kind: 'clock'; readonly off_ms: number }
  | { readonly kind: 'verify' }
  | { readonly kind: 'check'; readonly questions: readonly Question[] }
)

/** All that happens to a world, and what it begins with. */
export interface History {
  readonly seed: number
  readonly start_ms: number
  /** Of the accounts, in their order. */
  readonly time_zones: readonly string[]
  /** In the order of their times. */
  readonly steps: readonly Step[]
}
