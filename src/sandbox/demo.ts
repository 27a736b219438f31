import { COUNTRY_UNKNOWN } from '../domain/country.ts'
import { dayOf } from '../domain/day.ts'
import { ANY_COUNTRY, type Rate } from '../domain/rate-card.ts'
import { demoAudience, type Subscriber } from './audience.ts'
import { DOCUMENTED_SAMPLE_ID, documentedSample } from './documented-sample.ts'
import type { SandboxEvent } from './event.ts'
import { type Habits, playMessage } from './message.ts'
import { Random, type Weighted } from './random.ts'

export const DEMO_PAGE_ID = '1000000000000201'

export const DEMO_ACCOUNT = {
  account_id: '1000000000000001',
  name: 'Demo account',
  currency: 'USD',
  time_zone: 'America/Los_Angeles',
  page_ids: [DEMO_PAGE_ID],
} as const

/** The campaign that `LiveCampaign` plays. */
export const DEMO_LIVE_CAMPAIGN_ID = '1000000000000110'

/** The demo is loaded while someone waits for it. */
export const DEMO_EVENTS_MAX = 24_000

/** Apart from the documented sample, nothing of the demo is older. */
export const DEMO_DAYS_MAX = 90

/** A finished campaign: to whom, when, and how they took it. */
interface Plan {
  readonly campaign_id: string
  readonly name: string
  /** ISO: Monday is 1. */
  readonly weekdays: readonly number[]
  /** The weeks before now in which it was sent; at most 11, so that it stays within `DEMO_DAYS_MAX`. */
  readonly weeks: readonly number[]
  /** The hour, in the account's time zone, at which a sending starts. */
  readonly hour: number
  readonly recipients: number
  readonly countries?: readonly string[]
  readonly read_rate: number
  readonly click_rate: number
}

/** Together some 6,700 messages, which make about 2.7 events each. */
const PLANS: readonly Plan[] = [
  {
    campaign_id: '1000000000000102',
    name: 'Weekly newsletter',
    weekdays: [2],
    weeks: [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    hour: 9,
    recipients: 180,
    read_rate: 0.62,
    click_rate: 0.07,
  },
  {
    campaign_id: '1000000000000103',
    name: 'Weekend flash sale',
    weekdays: [6],
    weeks: [10, 8, 6, 4, 2],
    hour: 11,
    recipients: 240,
    read_rate: 0.68,
    click_rate: 0.12,
  },
  {
    campaign_id: '1000000000000104',
    name: 'New arrivals',
    weekdays: [3],
    weeks: [9, 5, 1],
    hour: 12,
    recipients: 300,
    read_rate: 0.64,
    click_rate: 0.1,
  },
  {
    campaign_id: '1000000000000105',
    name: 'Product launch',
    weekdays: [4],
    weeks: [7],
    hour: 10,
    recipients: 800,
    read_rate: 0.7,
    click_rate: 0.13,
  },
  {
    campaign_id: '1000000000000106',
    name: 'Free shipping, Latin America',
    weekdays: [5],
    weeks: [6, 5, 4],
    hour: 8,
    recipients: 180,
    countries: ['BR', 'MX', 'AR'],
    read_rate: 0.73,
    click_rate: 0.11,
  },
  {
    campaign_id: '1000000000000107',
    name: 'We miss you',
    weekdays: [1],
    weeks: [3, 2],
    hour: 17,
    recipients: 200,
    read_rate: 0.48,
    click_rate: 0.04,
  },
  {
    campaign_id: '1000000000000108',
    name: 'Loyalty double points',
    weekdays: [7],
    weeks: [8, 4, 0],
    hour: 13,
    recipients: 120,
    read_rate: 0.78,
    click_rate: 0.15,
  },
  {
    campaign_id: '1000000000000109',
    name: 'Back in stock',
    weekdays: [1, 3, 5],
    weeks: [2, 1, 0],
    hour: 15,
    recipients: 35,
    read_rate: 0.71,
    click_rate: 0.14,
  },
]

export const DEMO_CAMPAIGNS: readonly { readonly campaign_id: string; readonly name: string }[] = [
  { campaign_id: DOCUMENTED_SAMPLE_ID, name: 'Documented sample' },
  ...PLANS.map(({ campaign_id, name }) => ({ campaign_id, name })),
  { campaign_id: DEMO_LIVE_CAMPAIGN_ID, name: 'Running now' },
]

const PRICES_MICROS: Readonly<Record<string, bigint>> = {
  [ANY_COUNTRY]: 14_000n,
  US: 25_000n,
  GB: 32_000n,
  DE: 41_000n,
  FR: 38_500n,
  JP: 36_000n,
  BR: 18_500n,
  MX: 12_500n,
  IN: 7_300n,
}

/** What the demo account pays. The documented sample does not need it: its messages carry their prices. */
export const DEMO_RATES: readonly Rate[] = Object.entries(PRICES_MICROS).map(([country, price_micros]) => ({
  country,
  valid_from: dayOf(new Temporal.PlainDate(2020, 1, 1)),
  price_micros,
}))

/** What the buttons of a campaign's messages say. */
const BUTTONS: Weighted<string> = [
  ['Shop now', 5],
  ['See details', 2],
]

const HABITS = { failed_rate: 0.03, delivered_rate: 0.97, pace: 1 }
const SENDING_MS = 90 * 60_000

/**
 * What the demo account has behind it at `now_ms`, in the order of time: the documented sample, and eight campaigns of
 * the last `DEMO_DAYS_MAX` days to the audience of the same seed. At most `DEMO_EVENTS_MAX` events.
 */
export function demoEvents(seed: number, now_ms: number): SandboxEvent[] {
  const audience = demoAudience(seed)
  const events = [documentedSample(DEMO_PAGE_ID), ...PLANS.map((plan) => playPlan(plan, audience, seed, now_ms))].flat()
  return events.filter((event) => event.timestamp <= now_ms).sort((a, b) => a.timestamp - b.timestamp)
}

/** Every sending reaches the same people once, and is a day or more from the next (Meta asks for 12 hours). */
function playPlan(plan: Plan, audience: readonly Subscriber[], seed: number, now_ms: number): SandboxEvent[] {
  const random = new Random(seed, Number(plan.campaign_id))
  const buttons = new Random(seed + 1, Number(plan.campaign_id))
  const habits: Habits = { ...HABITS, read_rate: plan.read_rate, click_rate: plan.click_rate }
  const asked = audience.filter(({ country }) => plan.countries?.includes(country ?? COUNTRY_UNKNOWN) ?? true)
  const recipients = random.shuffle(asked).slice(0, plan.recipients)
  return sendingsOf(plan, now_ms).flatMap((start_ms) =>
    recipients.flatMap(({ messenger_subscription_token }) => {
      const timestamp = start_ms + random.integer(0, SENDING_MS)
      const send = { timestamp, message_id: plan.campaign_id, page_id: DEMO_PAGE_ID, messenger_subscription_token }
      return playMessage(random, send, habits).map((event) =>
        event.kind === 'clicked' ? { ...event, btn_name: buttons.pick(BUTTONS) } : event,
      )
    }),
  )
}

/** The instants at which a plan's sendings start; one of today may still be ahead of `now_ms`. */
function sendingsOf(plan: Plan, now_ms: number): number[] {
  const timeZone = DEMO_ACCOUNT.time_zone
  const today = Temporal.Instant.fromEpochMilliseconds(now_ms).toZonedDateTimeISO(timeZone).toPlainDate()
  return plan.weeks.flatMap((weeks) =>
    plan.weekdays.map((weekday) => {
      const day = today.subtract({ weeks, days: (today.dayOfWeek - weekday + 7) % 7 })
      return day.toZonedDateTime({ timeZone, plainTime: { hour: plan.hour } }).epochMilliseconds
    }),
  )
}
