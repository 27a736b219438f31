import type { SandboxEvent } from './event.ts'
import type { Random, Weighted } from './random.ts'

/** One message on its way to one subscriber. */
export interface Send {
  readonly timestamp: number
  readonly message_id: string
  readonly page_id: string
  readonly messenger_subscription_token: string
}

/** How an audience takes a campaign's messages; rates are from 0 to 1. */
export interface Habits {
  /** Of all messages: turned down, and never sent. */
  readonly failed_rate: number
  /** Of the messages sent. */
  readonly delivered_rate: number
  /** Of the messages delivered. */
  readonly read_rate: number
  /** Of the messages delivered: clicked at least once. Only who reads clicks, so it is at most the read rate. */
  readonly click_rate: number
  /** How many times faster than real people this audience lives. */
  readonly pace: number
}

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

const OFFLINE_RATE = 0.08
const SECOND_CLICK_RATE = 0.12
const CLICK_WITHOUT_MID_RATE = 0.2

const FAILURE_REASONS: Weighted<string> = [
  ['This person is not available right now.', 6],
  ['Message failed to send because the person has not opted in.', 3],
  ['This message is sent outside of allowed window.', 2],
  ['This person has stopped receiving marketing messages from this page.', 1],
]

/** Plays the life of one message: all its events, in the order of their times. */
export function playMessage(random: Random, send: Send, habits: Habits): SandboxEvent[] {
  if (random.chance(habits.failed_rate)) return [failureOf(random, send, habits.pace)]
  const mid = `m_${random.text(60)}`
  const named = { ...send, marketing_message_tracking_id: random.uuid() }
  const sent: SandboxEvent = { kind: 'sent', ...named, mid }
  if (!random.chance(habits.delivered_rate)) return [sent]

  const delivered_at = send.timestamp + deliveryDelay(random, habits.pace)
  const delivered: SandboxEvent = { kind: 'delivered', ...named, timestamp: delivered_at, mid }
  if (!random.chance(habits.read_rate)) return [sent, delivered]

  const read_at = delivered_at + delay(random, 25 * MINUTE_MS, 1.5, habits.pace)
  const read: SandboxEvent = { kind: 'read', ...named, timestamp: read_at }
  if (!random.chance(habits.click_rate / habits.read_rate)) return [sent, delivered, read]
  return [sent, delivered, read, ...clicksOf(random, { ...send, timestamp: read_at }, mid, habits.pace)]
}

function failureOf(random: Random, send: Send, pace: number): SandboxEvent {
  const timestamp = send.timestamp + delay(random, 2 * SECOND_MS, 0.5, pace)
  return { kind: 'failed', ...send, timestamp, error_message: random.pick(FAILURE_REASONS) }
}

/** Once, or now and then twice; some clicks do not say which message they were in. */
function clicksOf(random: Random, read: Send, mid: string, pace: number): SandboxEvent[] {
  const clicks: SandboxEvent[] = []
  let timestamp = read.timestamp
  for (let left = random.chance(SECOND_CLICK_RATE) ? 2 : 1; left > 0; left--) {
    timestamp += delay(random, 40 * SECOND_MS, 1, pace)
    const click: SandboxEvent = { kind: 'clicked', ...read, timestamp }
    clicks.push(random.chance(CLICK_WITHOUT_MID_RATE) ? click : { ...click, mid })
  }
  return clicks
}

/** Seconds for a phone that is on; hours for one that is off. */
function deliveryDelay(random: Random, pace: number): number {
  return random.chance(OFFLINE_RATE) ? delay(random, 4 * HOUR_MS, 0.7, pace) : delay(random, 4 * SECOND_MS, 0.8, pace)
}

function delay(random: Random, median_ms: number, spread: number, pace: number): number {
  return Math.ceil(random.logNormal(median_ms, spread) / pace)
}
