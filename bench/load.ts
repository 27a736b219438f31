import { DAY_MS } from '../src/domain/day.ts'
import type { SandboxEvent } from '../src/sandbox/event.ts'
import { type LoadPlan, loadEvents } from '../src/sandbox/load.ts'
import { type Habits, playMessage } from '../src/sandbox/message.ts'
import { Random } from '../src/sandbox/random.ts'
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

/** The account that is read to the end. */
export const DEEP_ACCOUNT: BenchAccount = {
  account_id: '900000000000003',
  page_id: '800000000000003',
  first_ad_id: '120210000003000000',
}

/** The days of its history, which end yesterday. */
export const DEEP_DAYS = 90

const COUNTRIES = 'BR MX CO CL PE EC US CA IN ID PH TH VN MY PK EG NG ZA AR DE'.split(' ')
const SEED = 1
const SUBSCRIBERS = 200_000
export const HISTORY_DAYS = 30

/** Every message is delivered, and a few are read: the fewest facts that leave no day of an ad empty. */
const DEEP_HABITS: Habits = { failed_rate: 0, delivered_rate: 1, read_rate: 0.2, click_rate: 0.05, pace: 1 }
const DEEP_PRICE_MICROS_RANGE = [5_000, 40_000] as const

/** A day of which nothing has come yet: facts of the live stream never reach it. */
const LIVE_FACTS_MAX = 20_000_000
const LIVE_SINCE_DAYS = 20

/** The 30 days before today in UTC, the time zone of the accounts, as a few ads would have filled them. */
export function importEvents({ import_facts }: Plan, now_ms: number): Iterable<SandboxEvent> {
  return loadEvents({ ...historyOf(ACCOUNTS[0], now_ms), seed: SEED, facts: import_facts, ads: ACTIVE_ADS })
}

/** The same days of some campaigns that run together; each cohort has campaigns of its own. */
export function cohortEvents(
  { cohort_facts }: Plan,
  cohort: number,
  ads: number,
  now_ms: number,
): Iterable<SandboxEvent> {
  const first_ad_id = (BigInt(ACCOUNTS[0].first_ad_id) + BigInt(cohort * ads)).toString()
  return loadEvents({ ...historyOf(ACCOUNTS[0], now_ms), first_ad_id, seed: SEED + cohort, facts: cohort_facts, ads })
}

/** The same days of all campaigns, each of them active on every day. */
export function* historyEvents(plan: Plan, now_ms: number): Generator<SandboxEvent, void, undefined> {
  const size = { facts: plan.history_facts / ACCOUNTS.length, ads: adsOfAccount(plan) }
  for (const [i, account] of ACCOUNTS.entries()) {
    yield* loadEvents({ ...historyOf(account, now_ms), ...size, seed: SEED + i })
  }
}

/**
 * A message a day of every ad, without the fact that it was sent: its delivery says as much, and fills the same row. All
 * are sent before noon, so that hardly a delivery is put off to the next day.
 */
export function* deepEvents({ deep_ads }: Plan, now_ms: number): Generator<SandboxEvent, void, undefined> {
  const { page_id } = DEEP_ACCOUNT
  const ids = adIds(DEEP_ACCOUNT, deep_ads)
  const random = new Random(SEED)
  const today_ms = midnightOf(now_ms)
  for (let message = 0; message < DEEP_DAYS * deep_ads; message++) {
    const ad = Math.floor(message / DEEP_DAYS)
    const timestamp = today_ms - (1 + (message % DEEP_DAYS)) * DAY_MS + random.integer(0, DAY_MS / 2)
    const messenger_subscription_token = new Random(SEED, random.integer(0, SUBSCRIBERS - 1)).text(40)
    const send = { timestamp, message_id: ids[ad] as string, page_id, messenger_subscription_token }
    for (const event of playMessage(random, send, DEEP_HABITS)) {
      if (event.kind === 'sent' || event.timestamp >= today_ms) continue
      const price_micros = random.integer(...DEEP_PRICE_MICROS_RANGE).toString()
      yield event.kind === 'delivered' ? { ...event, price_micros } : event
    }
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
  return ACCOUNTS.flatMap((account) => adIds(account, adsOfAccount(plan)))
}

/** The ids of an account's first ads. */
export function adIds({ first_ad_id }: BenchAccount, ads: number): string[] {
  return Array.from({ length: ads }, (_, i) => (BigInt(first_ad_id) + BigInt(i)).toString())
}

export function adsOfAccount({ campaigns }: Plan): number {
  return campaigns / ACCOUNTS.length
}

function historyOf({ page_id, first_ad_id }: BenchAccount, now_ms: number): Omit<LoadPlan, 'seed' | 'facts' | 'ads'> {
  const start_ms = midnightOf(now_ms) - HISTORY_DAYS * DAY_MS
  return { page_id, first_ad_id, start_ms, days: HISTORY_DAYS, subscribers: SUBSCRIBERS, countries: COUNTRIES }
}

function midnightOf(now_ms: number): number {
  return Math.floor(now_ms / DAY_MS) * DAY_MS
}
