import { DAY_MS } from '../domain/day.ts'
import type { SandboxEvent } from './event.ts'
import { Random } from './random.ts'

export const DOCUMENTED_SAMPLE_ID = '1000000000000101'

const DELIVERED = 2755n
const READ = 2188n
const CLICKED = 268n
const SPEND_MICROS = 38_870_000n

const FIRST_MORNING_MS = Date.parse('2024-05-01T09:00:00-07:00')
/** From 2024-05-01 to 2025-07-29, both included. */
const DAYS = 455
const MINUTE_MS = 60_000

/**
 * The campaign of Meta's documented sample (contract 11): 2755 delivered, 2188 read, 268 clicked once, for 38.87, from
 * 2024-05-01 to 2025-07-29 in Los Angeles. Nothing is known to be sent, which is why Meta's delivery rate is `"0"`.
 */
export function documentedSample(page_id: string): SandboxEvent[] {
  const events = Array.from({ length: Number(DELIVERED) }, (_, i) => playSampleMessage(page_id, BigInt(i)))
  return events.flat().sort((a, b) => a.timestamp - b.timestamp)
}

function playSampleMessage(page_id: string, i: bigint): SandboxEvent[] {
  const index = Number(i)
  const random = new Random(Number(DELIVERED), index)
  const recipient = {
    message_id: DOCUMENTED_SAMPLE_ID,
    page_id,
    messenger_subscription_token: random.text(32),
  }
  const message = { ...recipient, marketing_message_tracking_id: random.uuid() }
  const mid = `m_${random.text(60)}`
  const price_micros = share(SPEND_MICROS, DELIVERED, i).toString()

  // Ten hours of sending and three of reading after nine in the morning: no event leaves its day.
  const morning_ms = FIRST_MORNING_MS + Math.floor((index * DAYS) / Number(DELIVERED)) * DAY_MS
  const delivered_at = morning_ms + random.integer(0, 600) * MINUTE_MS
  const delivered: SandboxEvent = { kind: 'delivered', timestamp: delivered_at, ...message, mid, price_micros }
  if (share(READ, DELIVERED, i) === 0n) return [delivered]

  const read_at = delivered_at + random.integer(1, 170) * MINUTE_MS
  const read: SandboxEvent = { kind: 'read', timestamp: read_at, ...message }
  const readsBefore = (READ * i) / DELIVERED
  if (share(CLICKED, READ, readsBefore) === 0n) return [delivered, read]

  return [delivered, read, { kind: 'clicked', timestamp: read_at + MINUTE_MS, ...recipient, mid }]
}

/** The `i`th of `parts` whole shares, as equal as can be, that sum to the total. */
function share(total: bigint, parts: bigint, i: bigint): bigint {
  return (total * (i + 1n)) / parts - (total * i) / parts
}
