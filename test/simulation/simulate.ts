import { randomInt } from 'node:crypto'
import { TemporaryFolder } from '../temporary-folder.ts'
import { makeEmptyDatabase } from './disk.ts'
import { planHistory } from './plan.ts'
import { formatHistory } from './report.ts'
import { shrink } from './shrink.ts'
import type { History } from './step.ts'
import { play } from './world.ts'

const SEED_MAX = 2 ** 31

/** How long a shorter history is looked for. */
const SHRINK_MS = 60_000

/** What was played until all was, or until something was not as it must be. */
export interface Simulated {
  seeds: number
  steps: number
  facts: number
  kills: number
  virtual_hours: number
  /** Of real time, without the search for a shorter history. */
  seconds: number
  /** The seed that failed, why, and the shortest history found that fails. */
  failure: string | undefined
}

/** Plays the history of each seed, one after another, up to the first that fails. */
export async function simulate(seeds: Iterable<number>): Promise<Simulated> {
  using folder = new TemporaryFolder()
  const empty = await makeEmptyDatabase(folder)
  const none = { seeds: 0, steps: 0, facts: 0, kills: 0, virtual_hours: 0, seconds: 0 }
  const simulated: Simulated = { ...none, failure: undefined }
  const started_ms = performance.now()
  for (const seed of seeds) {
    const history = planHistory(seed)
    const { failure, virtual_ms, facts, kills } = await play(history, empty)
    simulated.seeds++
    simulated.steps += history.steps.length
    simulated.facts += facts
    simulated.kills += kills
    simulated.virtual_hours += virtual_ms / 3_600_000
    simulated.seconds = (performance.now() - started_ms) / 1000
    if (failure === undefined) continue
    simulated.failure = await explain(seed, empty)
    break
  }
  return simulated
}

async function explain(seed: number, empty: string): Promise<string> {
  const history = planHistory(seed)
  const ends_ms = performance.now() + SHRINK_MS
  const isFailing = async (shorter: History) => (await play(shorter, empty)).failure !== undefined
  const shortest = await shrink(history, async (shorter) => performance.now() < ends_ms && isFailing(shorter))
  const { failure } = await play(shortest, empty)
  const told = failure?.name === 'Violation' ? failure.message : (failure?.stack ?? 'it fails in its full length only')
  return [
    `seed ${seed} fails`,
    told,
    `the shortest history found, ${shortest.steps.length} of ${history.steps.length} steps:`,
    formatHistory(shortest),
    `replay it with: npm run simulate -- --seed ${seed}`,
  ].join('\n\n')
}

/** So many seeds, for so long: those from the first on, or any. */
export function* listSeeds(first: number | undefined, count: number, ms: number): Generator<number, void, undefined> {
  const ends_ms = performance.now() + ms
  for (let i = 0; i < count && performance.now() < ends_ms; i++) {
    yield first === undefined ? randomInt(SEED_MAX) : first + i
  }
}
