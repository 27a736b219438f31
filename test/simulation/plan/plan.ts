import { Random } from '../../../src/sandbox/random.ts'
import { ACTS, HASTY_ACTS, planActs } from './acts.ts'
import { FAULT_TABLES, type Fault, type FaultEffect, type FaultPoint } from './fault.ts'
import { BUTTON, HOURLY, PRESETS, type Question } from './question.ts'
import { HOUR_MS, one, planDay, planStage, type Scene } from './scene.ts'
import type { History, Step } from './step.ts'
import { ACCOUNTS, NODES, TIME_ZONES } from './universe.ts'
import { planEvents, planStragglers, planWebhooks } from './webhooks.ts'

const ACTS_MAX = 10
const STRIKES_MAX = 16
const CHECKS_MAX = 5
const QUESTIONS = 8

/** By then no webhook is tried again, so that the last check is asked of all of it. */
const LAST_CHECK_AFTER_MS = 40 * HOUR_MS

/** All that one seed makes happen. */
export function planHistory(seed: number): History {
  const random = new Random(seed)
  const stage = planStage(random)
  const scene = { ...stage, events: planEvents(random, stage) }
  const webhooks = planWebhooks(random, scene)
  const arrivals_ms = webhooks.map(({ at_ms }) => at_ms)
  const moment = () => planMoment(random, arrivals_ms.length === 0 ? [scene.start_ms] : arrivals_ms)
  const some = (max: number, plan: () => Step | Step[]) => Array.from({ length: random.integer(0, max) }, plan).flat()
  const steps: Step[] = [
    ...webhooks,
    ...some(ACTS_MAX, () => {
      const at_ms = moment()
      return planActs(random, ACTS, scene, at_ms).flatMap((act): Step[] => {
        const fault = random.chance(0.4) ? planFault(random) : undefined
        const stragglers = act.kind === 'prune' ? planStragglers(random, scene, at_ms) : []
        return [{ at_ms, kind: 'act', act, fault }, ...stragglers]
      })
    }),
    ...some(STRIKES_MAX, () => planStrike(random, scene, moment())),
    ...some(CHECKS_MAX, () => ({ at_ms: moment(), kind: 'check', questions: planQuestions(random, scene) })),
  ]
  steps.sort((a, b) => a.at_ms - b.at_ms)
  const ends_ms = steps.at(-1)?.at_ms ?? scene.start_ms
  // What was asked before is asked again: an answer may have been remembered too long.
  const asked = steps.flatMap((step) => (step.kind === 'check' ? step.questions : []))
  const questions = [...asked, ...planQuestions(random, scene)]
  steps.push({ at_ms: ends_ms + LAST_CHECK_AFTER_MS, kind: 'check', questions })
  const time_zones = ACCOUNTS.map(() => one(random, TIME_ZONES))
  return { seed, start_ms: scene.start_ms, time_zones, steps }
}

/** When something arrives, or soon before or after; much of it at the same few times, so that it meets. */
function planMoment(random: Random, arrivals_ms: readonly number[]): number {
  const at_ms = one(random, random.chance(0.5) ? arrivals_ms.slice(0, 3) : arrivals_ms)
  return random.pick([
    [at_ms - 1, 3],
    [at_ms, 2],
    [at_ms + random.integer(1, 1000), 3],
  ])
}

/** Something goes wrong, and often someone does something in the moment after, or more goes wrong while commits are slow. */
function planStrike(random: Random, scene: Scene, at_ms: number): Step[] {
  const for_ms = random.integer(1, 2 * HOUR_MS)
  const down_ms = random.pick([
    [0, 1],
    [random.integer(1, 60_000), 2],
    [for_ms, 1],
  ])
  const strike = random.pick<Step>([
    [{ at_ms, kind: 'fault', fault: planFault(random), down_ms }, 12],
    [{ at_ms, kind: 'full', pages: random.integer(0, 3), for_ms }, 3],
    [{ at_ms, kind: 'slow', commit_ms: random.integer(1, 30_000), for_ms }, 3],
    [{ at_ms, kind: 'held', for_ms }, 1],
    [{ at_ms, kind: 'clock', off_ms: random.integer(-20 * HOUR_MS, 20 * HOUR_MS) }, 1],
    [{ at_ms, kind: 'verify' }, 2],
  ])
  if (strike.kind === 'slow' && random.chance(0.6)) {
    const struck_ms = at_ms + random.integer(1, 2 * strike.commit_ms)
    return [strike, { at_ms: struck_ms, kind: 'fault', fault: planFault(random), down_ms }]
  }
  if (!random.chance(0.4)) return [strike]
  const soon_ms = at_ms + random.integer(1, 20)
  const acts = planActs(random, HASTY_ACTS, scene, soon_ms)
  return [strike, ...acts.map((act): Step => ({ at_ms: soon_ms, kind: 'act', act, fault: undefined }))]
}

function planFault(random: Random): Fault {
  const effect = random.pick<FaultEffect>([
    ['kill before', 2],
    ['kill after', 2],
    ['cut before', 3],
    ['cut after', 1],
    ['fail before', 4],
    ['fail after', 1],
  ])
  const point = random.pick<FaultPoint>([
    ['begin', 1],
    ['commit', 3],
    ['sync', 3],
    [one(random, FAULT_TABLES), 4],
    [random.integer(1, 10), 1],
    [random.integer(1, 300), 2],
  ])
  return { point, effect, left: random.chance(0.5) ? 0 : random.unit() }
}

function planQuestions(random: Random, scene: Scene): Question[] {
  return Array.from({ length: QUESTIONS }, () => {
    const node = one(random, Object.keys(NODES))
    const [since = '', until = ''] = [planDay(random, scene), planDay(random, scene)].sort()
    return {
      node,
      level: one(random, NODES[node] ?? []),
      dates: random.chance(0.5) ? one(random, PRESETS) : { since, until },
      time_increment: random.pick<Question['time_increment']>([
        ['all_days', 4],
        ['monthly', 1],
        [1, 2],
        [random.integer(2, 90), 1],
      ]),
      breakdown: random.pick<Question['breakdown']>([
        [undefined, 4],
        ['country', 2],
        [HOURLY, 1],
        [BUTTON, 1],
      ]),
      region_policy: random.chance(0.5) ? 'documented' : 'all',
      dated_by: random.chance(0.5) ? 'event' : 'delivery',
    }
  })
}
