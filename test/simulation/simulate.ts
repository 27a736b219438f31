import { randomInt } from 'node:crypto'
import { planHistory } from './plan/plan.ts'
import type { History } from './plan/step.ts'
import { formatHistory } from './report.ts'
import { shrink } from './shrink.ts'

const SEED_MAX = 2 ** 31

/** How long a shorter history is looked for. */
const SHRINK_MS = 60_000

/** What a history came to. */
export interface Outcome {
  /** What was not as it must be, if anything was. */
  readonly failure: Error | undefined
  readonly virtual_ms: number
  readonly kills: number
}

/** Where histories are played, each in a world of its own that knows nothing of the others. */
export interface Worlds extends AsyncDisposable {
  play(history: History): Promise<Outcome>
  /** How often a history is played before it is said to be well: more than once where chance is with the world, too. */
  readonly plays: number
  /** What the command needs to play there again. */
  readonly options: string
}

/** What was played until all was, or until something was not as it must be. */
export interface Simulated {
  seeds: number
  steps: number
  /** That webhooks told, repeats included. */
  facts: number
  kills: number
  virtual_hours: number
  /** Of real time, without the search for a shorter history. */
  seconds: number
  /** The seed that failed, why, and the shortest history found that fails. */
  failure: string | undefined
}

/** Plays the history of each seed, one after another, up to the first that fails. */
export async function simulate(seeds: Iterable<number>, worlds: Worlds): Promise<Simulated> {
  const none = { seeds: 0, steps: 0, facts: 0, kills: 0, virtual_hours: 0, seconds: 0 }
  const simulated: Simulated = { ...none, failure: undefined }
  const started_ms = performance.now()
  for (const seed of seeds) {
    const history = planHistory(seed)
    const { failure, virtual_ms, kills } = await worlds.play(history)
    simulated.seeds++
    simulated.steps += history.steps.length
    simulated.facts += countFacts(history)
    simulated.kills += kills
    simulated.virtual_hours += virtual_ms / 3_600_000
    simulated.seconds = (performance.now() - started_ms) / 1000
    if (failure === undefined) continue
    simulated.failure = await explain(history, failure, worlds)
    break
  }
  return simulated
}

function countFacts({ steps }: History): number {
  return steps.reduce((sum, step) => sum + (step.kind === 'webhook' ? step.events.length : 0), 0)
}

/** Tells of a failure by the shortest history that is found to fail as well. */
async function explain(history: History, failure: Error, worlds: Worlds): Promise<string> {
  const ends_ms = performance.now() + SHRINK_MS * worlds.plays
  let shortestFailure = failure
  const isFailing = async (shorter: History) => {
    for (let play = 0; play < worlds.plays && performance.now() < ends_ms; play++) {
      const { failure } = await worlds.play(shorter)
      if (failure === undefined) continue
      shortestFailure = failure
      return true
    }
    return false
  }
  const shortest = await shrink(history, isFailing)
  const isShorter = shortest.steps.length < history.steps.length
  return [
    `seed ${history.seed} fails`,
    shortestFailure.name === 'Violation' ? shortestFailure.message : String(shortestFailure.stack),
    `the shortest history found, ${isShorter ? '' : 'all '}${shortest.steps.length} of ${history.steps.length} steps:`,
    formatHistory(shortest),
    ...(worlds.plays > 1 ? [await countFailures(shortest, worlds)] : []),
    `replay it with: npm run simulate -- ${worlds.options}--seed ${history.seed}`,
  ].join('\n\n')
}

/** How often a history fails, where the same steps need not come to the same. */
async function countFailures(history: History, worlds: Worlds): Promise<string> {
  let failures = 0
  for (let play = 0; play < worlds.plays; play++) {
    const { failure } = await worlds.play(history)
    if (failure !== undefined) failures++
  }
  return `played ${worlds.plays} times more, it fails ${failures} times: processes do not run alike twice`
}

/** So many seeds, for so long: those from the first on, or any. */
export function* listSeeds(first: number | undefined, count: number, ms: number): Generator<number, void, undefined> {
  const ends_ms = performance.now() + ms
  for (let i = 0; i < count && performance.now() < ends_ms; i++) {
    yield first === undefined ? randomInt(SEED_MAX) : first + i
  }
}
