import assert from 'node:assert/strict'
import { test } from 'node:test'
import { demoAudience } from './audience.ts'
import {
  LIVE_CATCH_UP_MS_MAX,
  LIVE_MESSAGES_PER_SECOND_MAX,
  LIVE_MESSAGES_PER_SECOND_MIN,
  LiveCampaign,
} from './live.ts'

const START_MS = Date.parse('2026-11-22T21:30:00Z')
const SECONDS = 180

interface Change {
  readonly field: string
  readonly value: {
    readonly timestamp: number
    readonly messenger_subscription_token: string
    readonly marketing_message_tracking_id?: string
  }
}

function changesOf(body: string): Change[] {
  return JSON.parse(body).entry.flatMap((entry: { changes: Change[] }) => entry.changes)
}

/** What a caller posts that asks every second. */
function play(seed: number, start_ms: number): string[] {
  const live = new LiveCampaign({ seed, start_ms })
  return Array.from({ length: SECONDS }, (_, i) => live.next(start_ms + (i + 1) * 1000)).flat()
}

function trackingIdsOf(bodies: readonly string[]): Set<string | undefined> {
  return new Set(bodies.flatMap(changesOf).map(({ value }) => value.marketing_message_tracking_id))
}

const BODIES = play(1, START_MS)

test('LiveCampaign posts the same for the same seed and start, and other messages after a restart', () => {
  assert.deepEqual(play(1, START_MS), BODIES)
  const common = trackingIdsOf(BODIES).intersection(trackingIdsOf(play(1, START_MS + 1)))
  assert.deepEqual([...common], [undefined])
})

test('LiveCampaign sends as fast as its bounds say, to the audience, and everything happens', () => {
  const changes = new Set(BODIES).values().toArray().flatMap(changesOf)
  const sent = changes.filter(({ field }) => field === 'marketing_message_echoes').length
  assert.ok(sent > 0.8 * LIVE_MESSAGES_PER_SECOND_MIN * SECONDS && sent <= LIVE_MESSAGES_PER_SECOND_MAX * SECONDS)
  assert.equal(new Set(changes.map(({ field }) => field)).size, 5)
  const tokens = new Set(demoAudience(1).map((subscriber) => subscriber.messenger_subscription_token))
  assert.ok(changes.every(({ value }) => tokens.has(value.messenger_subscription_token)))
})

test('LiveCampaign posts some bodies twice, and some after later ones', () => {
  assert.ok(new Set(BODIES).size < BODIES.length)
  const times = BODIES.map((body) => Math.max(...changesOf(body).map(({ value }) => value.timestamp)))
  const firstTimes = times.filter((_, i) => BODIES.indexOf(BODIES[i] as string) === i)
  assert.ok(firstTimes.some((time, i) => i > 0 && time < (firstTimes[i - 1] as number) - 5_000))
})

test('LiveCampaign.next() tells of nothing ahead of its time, and makes up for no more than its bound', () => {
  const live = new LiveCampaign({ seed: 1, start_ms: START_MS })
  const now_ms = START_MS + 3 * 3_600_000
  const changes = live.next(now_ms).flatMap(changesOf)
  const times = changes.map(({ value }) => value.timestamp)
  assert.ok(times.length > 0 && Math.max(...times) <= now_ms && Math.min(...times) >= now_ms - LIVE_CATCH_UP_MS_MAX)
  const echoes = changes.filter(({ field }) => field === 'marketing_message_echoes')
  assert.ok(echoes.length <= (LIVE_MESSAGES_PER_SECOND_MAX * LIVE_CATCH_UP_MS_MAX) / 1000)
})
