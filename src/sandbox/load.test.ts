import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY_MS } from '../domain/day.ts'
import { type LoadPlan, loadEvents } from './load.ts'

const PLAN: LoadPlan = {
  seed: 1,
  facts: 20_000,
  ads: 3,
  subscribers: 500,
  page_id: '201',
  start_ms: Date.parse('2026-01-01T00:00:00Z'),
  days: 10,
  countries: ['US', 'DE', 'KR'],
  first_ad_id: '12000000000000000001',
}

test('loadEvents() gives exactly the facts asked for, in the order of time and within the days', () => {
  const times = [...loadEvents(PLAN)].map((event) => event.timestamp)
  assert.equal(times.length, PLAN.facts)
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  )
  const last_ms = times.at(-1) as number
  assert.ok(last_ms > PLAN.start_ms + 8 * DAY_MS && last_ms < PLAN.start_ms + 10 * DAY_MS)
})

test('loadEvents() is the same for the same plan', () => {
  assert.deepEqual([...loadEvents(PLAN)], [...loadEvents(PLAN)])
})

test('loadEvents() spreads over its ads, subscribers and countries, and prices what it delivers', () => {
  const countries = new Map<string, string>()
  const ads = new Set<string>()
  for (const { kind, message_id, messenger_subscription_token, country, price_micros } of loadEvents(PLAN)) {
    ads.add(message_id)
    assert.equal(price_micros !== undefined, kind === 'delivered')
    if (kind !== 'sent') continue
    assert.equal(country, countries.get(messenger_subscription_token) ?? country)
    countries.set(messenger_subscription_token, country as string)
  }
  assert.deepEqual([...ads].sort(), ['12000000000000000001', '12000000000000000002', '12000000000000000003'])
  assert.equal(countries.size, PLAN.subscribers)
  assert.deepEqual([...new Set(countries.values())].sort(), ['DE', 'KR', 'US'])
})
