import { DAY_MS } from '../src/domain/day.ts'
import type { SandboxEvent } from '../src/sandbox/event.ts'
import { type LoadPlan, loadEvents } from '../src/sandbox/load.ts'
import { ACTIVE_ADS, type Plan } from './plan.ts'

/** An account of the bench, with the page that is linked to it and the ads that register themselves there. */
export interface BenchAccount {
  readonly account_id: string
  readonly page_id: string
  readonly first_ad_id: string
}

export const ACCOUNTS = [
  { account_id: '900000000000001', page_id: '800000000000001', first_ad_id: '120210000001000000' },
  { account_id: '900000000000002', page_id: '800000000000002', first_ad_id: '120210000002000000' },
] as const satisfies readonly BenchAccount[]

const COUNTRIES = 'BR MX CO CL PE EC US CA IN ID PH TH VN MY PK EG NG ZA AR DE'.split(' ')
const SEED = 1
const SUBSCRIBERS = 200_000
const HISTORY_DAYS = 30

/** A day of which nothing has come yet: facts of the live stream never reach it. */
const LIVE_FACTS_MAX = 20_000_000
const LIVE_SINCE_DAYS = 20

/** The 30 days before today in UTC, the time zone of the accounts, as a few ads would have filled them. */
export function importEvents({ import_facts }: Plan, now_ms: number): Iterable<SandboxEvent> {
  return loadEvents({ ...historyOf(ACCOUNTS[0], now_ms), seed: SEED, facts: import_facts, ads: ACTIVE_ADS })
}

/** The same days of all campaigns, each of them active on every day. */
export function* historyEvents(plan: Plan, now_ms: number): Generator<SandboxEvent, void, undefined> {
  const size = { facts: plan.history_facts / ACCOUNTS.length, ads: adsOfAccount(plan) }
  for (const [i, account] of ACCOUNTS.entries()) {
    yield* loadEvents({ ...historyOf(account, now_ms), ...size, seed: SEED + i })
  }
}

/** What webhooks tell of some of the first account's ads: more than is ever taken, so that no fact comes twice. */
export function liveEvents(plan: Plan, now_ms: number): Generator<SandboxEvent, void, undefined> {
  const { page_id, first_ad_id } = ACCOUNTS[0]
  const ads = Math.min(ACTIVE_ADS, adsOfAccount(plan))
  const start_ms = now_ms - LIVE_SINCE_DAYS * DAY_MS
  const spread = { days: HISTORY_DAYS, start_ms, facts: LIVE_FACTS_MAX, subscribers: SUBSCRIBERS }
  return loadEvents({ ...spread, seed: SEED + ACCOUNTS.length, ads, page_id, first_ad_id })
}

/** The ids of all campaigns, in the order of their accounts. */
export function campaignIds(plan: Plan): string[] {
  return ACCOUNTS.flatMap(({ first_ad_id }) =>
    Array.from({ length: adsOfAccount(plan) }, (_, i) => (BigInt(first_ad_id) + BigInt(i)).toString()),
  )
}

export function adsOfAccount({ campaigns }: Plan): number {
  return campaigns / ACCOUNTS.length
}

function historyOf({ page_id, first_ad_id }: BenchAccount, now_ms: number): Omit<LoadPlan, 'seed' | 'facts' | 'ads'> {
  const today_ms = Math.floor(now_ms / DAY_MS) * DAY_MS
  const start_ms = today_ms - HISTORY_DAYS * DAY_MS
  return { page_id, first_ad_id, start_ms, days: HISTORY_DAYS, subscribers: SUBSCRIBERS, countries: COUNTRIES }
}
