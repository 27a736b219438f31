import type { SandboxEvent } from '../../../src/sandbox/event.ts'
import { type Habits, playMessage } from '../../../src/sandbox/message.ts'
import type { Random, Weighted } from '../../../src/sandbox/random.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, one, type Scene, type Stage } from './scene.ts'
import type { Step } from './step.ts'
import { AD_PAGES } from './universe.ts'

/** How long Meta takes to tell: mostly no time at all, at most 36 hours. */
const DELAYS_MS: Weighted<number> = [
  [50, 5],
  [5000, 4],
  [10 * MINUTE_MS, 2],
  [5 * HOUR_MS, 1],
  [36 * HOUR_MS, 1],
]

const BODY_SIZES: Weighted<number> = [
  [1, 6],
  [20, 4],
  [300, 1],
  [1000, 1],
]

/** How soon a webhook comes again for the first time. */
const RETRIES_MS: Weighted<number> = [
  [0, 2],
  [1000, 2],
  [10_000, 1],
]

const STRAGGLERS = 20

const HABITS = { failed_rate: 0.08, delivered_rate: 0.9, read_rate: 0.7, click_rate: 0.5 }

/** What happens to the messages of a stage, without what Meta loses of it. */
export function planEvents(random: Random, stage: Stage): SandboxEvent[] {
  return Array.from({ length: stage.messages }, () => planMessage(random, stage)).flat()
}

/** The webhooks that tell of the events: late, in any order, some of them twice, and none in a silence. */
export function planWebhooks(random: Random, scene: Scene): Step[] {
  const repeated = scene.events.filter(() => random.chance(0.1))
  const told = planArrivals(random, scene, [...scene.events, ...repeated])
  const steps: Step[] = []
  for (let first = 0; first < told.length; ) {
    const batch = told.slice(first, first + random.integer(1, random.pick(BODY_SIZES)))
    const at_ms = batch.at(-1)?.at_ms ?? 0
    const webhook = {
      kind: 'webhook',
      events: random.shuffle(batch.map(({ event }) => event)),
      clicks_in: random.chance(0.2) ? 's' : 'ms',
      retry_ms: random.pick(RETRIES_MS),
    } as const
    steps.push({ at_ms, ...webhook })
    if (random.chance(0.08)) steps.push({ at_ms: at_ms + planDelay(random), ...webhook })
    if (random.chance(0.02)) steps.push({ at_ms, kind: 'garbage', text: 'no JSON' })
    first += batch.length
  }
  return steps
}

/** Some of what happened is told again as of two days later: where a message was pruned by then, it must not count twice. */
export function planStragglers(random: Random, { events }: Scene, at_ms: number): Step[] {
  if (events.length === 0) return []
  const later_ms = at_ms + 2 * DAY_MS
  const told = Array.from({ length: STRAGGLERS }, () => ({ ...one(random, events), timestamp: later_ms }))
  return [{ at_ms: later_ms, kind: 'webhook', events: told, clicks_in: 'ms', retry_ms: random.pick(RETRIES_MS) }]
}

/** The life of one message, some of it told otherwise the second time. */
function planMessage(random: Random, { start_ms, duration_ms, ads, people }: Stage): SandboxEvent[] {
  const message_id = one(random, ads)
  const timestamp = Math.floor(start_ms + random.unit() * duration_ms)
  const send = {
    timestamp: random.chance(0.2) ? timestamp - (timestamp % HOUR_MS) : timestamp,
    message_id,
    page_id: one(random, AD_PAGES[message_id] ?? []),
    messenger_subscription_token: one(random, people),
  }
  const habits: Habits = { ...HABITS, pace: 10 ** random.integer(0, 5) }
  const kept = playMessage(random, send, habits).filter(() => random.chance(0.9))
  return kept.flatMap((event) => (random.chance(0.1) ? [event, otherwise(random, event)] : [event]))
}

/** Without its `mid`, at another time, some days later, or at a time at which nothing can have happened. */
function otherwise(random: Random, event: SandboxEvent): SandboxEvent {
  const { mid: _, ...unnamed } = event
  return random.pick<SandboxEvent>([
    [unnamed, 4],
    [{ ...event, timestamp: event.timestamp + random.integer(0, 2 * HOUR_MS) }, 4],
    [{ ...event, timestamp: event.timestamp + random.integer(0, 3 * DAY_MS) }, 3],
    [{ ...event, timestamp: 1 }, 1],
  ])
}

/** Each event with the time at which it is told of, in that order. */
function planArrivals(random: Random, { start_ms, duration_ms }: Stage, events: readonly SandboxEvent[]) {
  const silent_ms = start_ms + random.unit() * duration_ms
  const silence_ms = random.chance(0.5) ? random.unit() * Math.min(2 * DAY_MS, duration_ms / 2) : 0
  const told = events.map((event) => {
    const at_ms = Math.max(event.timestamp, start_ms) + planDelay(random)
    const isSilent = at_ms >= silent_ms && at_ms < silent_ms + silence_ms
    return { event, at_ms: isSilent ? Math.ceil(silent_ms + silence_ms) : at_ms }
  })
  return told.sort((a, b) => a.at_ms - b.at_ms)
}

function planDelay(random: Random): number {
  return Math.ceil(random.unit() * random.pick(DELAYS_MS))
}
