import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY_MS } from '../domain/day.ts'
import { REGION_CLASSES, regionClassOf } from '../domain/region.ts'
import { demoAudience, subscriberList } from './audience.ts'
import { DEMO_CAMPAIGNS, DEMO_DAYS_MAX, DEMO_EVENTS_MAX, DEMO_LIVE_CAMPAIGN_ID, demoEvents } from './demo.ts'
import { DOCUMENTED_SAMPLE_ID } from './documented-sample.ts'

const NOW_MS = Date.parse('2026-11-22T21:30:00Z')
const SEEDS = [1, 2, 3, 4, 5, 6, 7]

test('demoEvents() is the same for the same seed and time, and another for another seed', () => {
  assert.deepEqual(demoEvents(1, NOW_MS), demoEvents(1, NOW_MS))
  assert.notDeepEqual(demoEvents(1, NOW_MS), demoEvents(2, NOW_MS))
})

test('demoEvents() stays within its days, its bound and the time, on every weekday', () => {
  for (const seed of SEEDS) {
    const now_ms = NOW_MS + seed * DAY_MS
    const events = demoEvents(seed, now_ms)
    assert.ok(events.length <= DEMO_EVENTS_MAX, `seed ${seed}: ${events.length} events`)
    for (const { message_id, timestamp } of events) {
      const oldest_ms = message_id === DOCUMENTED_SAMPLE_ID ? 0 : now_ms - DEMO_DAYS_MAX * DAY_MS
      assert.ok(timestamp >= oldest_ms && timestamp <= now_ms, `seed ${seed}: ${timestamp}`)
    }
  }
})

test('demoEvents() plays every campaign but the running one, in every region class, with failures', () => {
  const events = demoEvents(1, NOW_MS)
  const finished = DEMO_CAMPAIGNS.map(({ campaign_id }) => campaign_id).filter((id) => id !== DEMO_LIVE_CAMPAIGN_ID)
  assert.deepEqual([...new Set(events.map((event) => event.message_id))].sort(), finished)

  const countries = subscriberList(demoAudience(1))
  const played = events.filter((event) => event.message_id !== DOCUMENTED_SAMPLE_ID)
  const known = played.map((event) => countries.get(event.messenger_subscription_token))
  assert.ok(known.includes(undefined), 'some countries are unknown')
  const classes = new Set(known.filter((country) => country !== undefined).map(regionClassOf))
  assert.deepEqual([...classes].sort(), [...REGION_CLASSES])

  const reasons = new Set(played.filter((event) => event.kind === 'failed').map((event) => event.error_message))
  assert.ok(reasons.size >= 3 && !reasons.has(undefined))
})

test('demoEvents() sends nobody two messages of a campaign within 12 hours', () => {
  const last = new Map<string, number>()
  for (const { kind, message_id, messenger_subscription_token, timestamp } of demoEvents(1, NOW_MS)) {
    if (kind !== 'sent') continue
    const thread = `${message_id} ${messenger_subscription_token}`
    assert.ok(timestamp - (last.get(thread) ?? 0) >= DAY_MS / 2)
    last.set(thread, timestamp)
  }
})
