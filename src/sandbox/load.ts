import assert from 'node:assert/strict'
import { DAY_MS } from '../domain/day.ts'
import { Agenda } from './agenda.ts'
import type { SandboxEvent } from './event.ts'
import { type Habits, playMessage } from './message.ts'
import { Random } from './random.ts'

/** What a benchmark asks for. */
export interface LoadPlan {
  readonly seed: number
  /** How many events, exactly. */
  readonly facts: number
  readonly ads: number
  readonly subscribers: number
  readonly page_id: string
  readonly start_ms: number
  /** Over how long the facts are spread: all of it or, since messages differ, a little less. */
  readonly days: number
  /** Subscribers take turns; left out, no event carries a country. */
  readonly countries?: readonly string[]
  /** The ads' ids count up from here. */
  readonly first_ad_id: string
}

const HABITS: Habits = { failed_rate: 0.01, delivered_rate: 0.98, read_rate: 0.65, click_rate: 0.1, pace: 1 }

/** A message makes 2.7 facts; with fewer expected, the facts run out before the days do. */
const FACTS_PER_MESSAGE_EXPECTED = 2.5

const STEP_MS = 3_600_000
const PRICE_MICROS_RANGE = [5_000, 40_000] as const

/**
 * The events of many messages in the order of time, as fast as they are taken: every ad sends all the time, to
 * subscribers at random. Holds only what is still to come of the messages already sent.
 */
export function* loadEvents(plan: LoadPlan): Generator<SandboxEvent, void, undefined> {
  assert(plan.days > 0 && plan.ads > 0 && plan.subscribers > 0, 'a load has days, ads and subscribers')
  const random = new Random(plan.seed, plan.subscribers)
  const ad_ids = Array.from({ length: plan.ads }, (_, i) => (BigInt(plan.first_ad_id) + BigInt(i)).toString())
  const coming = new Agenda<SandboxEvent>()
  const apart_ms = (plan.days * DAY_MS * FACTS_PER_MESSAGE_EXPECTED) / plan.facts
  let sent_ms = plan.start_ms
  let left = plan.facts
  for (let step_end = plan.start_ms + STEP_MS; left > 0; step_end += STEP_MS) {
    for (; sent_ms < step_end; sent_ms += apart_ms) {
      const ad_id = ad_ids[random.integer(0, plan.ads - 1)] as string
      for (const event of playLoadMessage(plan, random, ad_id, Math.floor(sent_ms))) coming.add(event.timestamp, event)
    }
    const due = coming.takeDue(step_end).slice(0, left)
    left -= due.length
    yield* due
  }
}

function playLoadMessage(plan: LoadPlan, random: Random, message_id: string, timestamp: number): SandboxEvent[] {
  const subscriber = random.integer(0, plan.subscribers - 1)
  // A token comes from its subscriber's own stream: nothing of a million subscribers has to be kept.
  const messenger_subscription_token = new Random(plan.seed, subscriber).text(40)
  const send = { timestamp, message_id, page_id: plan.page_id, messenger_subscription_token }
  return playMessage(random, send, HABITS).map((event) => withImportFields(event, plan, random, subscriber))
}

/** Puts what no webhook tells on the events that an import would have it on. */
function withImportFields(event: SandboxEvent, plan: LoadPlan, random: Random, subscriber: number): SandboxEvent {
  if (event.kind === 'delivered') return { ...event, price_micros: random.integer(...PRICE_MICROS_RANGE).toString() }
  const country = event.kind === 'sent' ? plan.countries?.[subscriber % plan.countries.length] : undefined
  return country === undefined ? event : { ...event, country }
}
