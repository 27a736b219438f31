import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Calendar } from '../domain/calendar.ts'
import { formatDay } from '../domain/day.ts'
import type { FactKind } from '../domain/fact.ts'
import { documentedSample } from './documented-sample.ts'

const SAMPLE = documentedSample('201')
const ofKind = (kind: FactKind) => SAMPLE.filter((event) => event.kind === kind)

test('documentedSample() has the counts and the spend of the documentation', () => {
  const counts = (['sent', 'delivered', 'read', 'clicked', 'failed'] as const).map((kind) => ofKind(kind).length)
  assert.deepEqual(counts, [0, 2755, 2188, 268, 0])
  const spend_micros = ofKind('delivered').reduce((sum, event) => sum + BigInt(event.price_micros ?? 0), 0n)
  assert.equal(spend_micros, 38_870_000n)
})

test('documentedSample() reads and clicks what it delivered, each by a subscriber of its own', () => {
  const delivered = new Map(ofKind('delivered').map((event) => [event.messenger_subscription_token, event]))
  assert.equal(delivered.size, 2755)
  for (const { kind, messenger_subscription_token, marketing_message_tracking_id, mid, timestamp } of SAMPLE) {
    const message = delivered.get(messenger_subscription_token)
    assert.ok(message !== undefined && message.timestamp <= timestamp)
    if (kind === 'read') assert.equal(marketing_message_tracking_id, message.marketing_message_tracking_id)
    if (kind === 'clicked') assert.equal(mid, message.mid)
  }
})

test('documentedSample() runs from 2024-05-01 to 2025-07-29 in Los Angeles', () => {
  const calendar = new Calendar('America/Los_Angeles')
  const days = SAMPLE.map((event) => calendar.dayOf(event.timestamp))
  assert.deepEqual([days.at(0), days.at(-1)].map(Number).map(formatDay), ['2024-05-01', '2025-07-29'])
  assert.deepEqual(
    days,
    days.toSorted((a, b) => a - b),
  )
})
