import { parseArgs } from 'node:util'
import { listSeeds, type Simulated, simulate } from './simulate.ts'
import { openSqliteWorlds } from './world/world.ts'

const EXIT = { ok: 0, failed: 1, unusable: 2 }

const USAGE = 'use: npm run simulate -- [--seed N] [--seeds K] [--seconds S]'

/** Without a word of how many, fresh seeds are played for so long. */
const SECONDS = 60

process.exitCode = await run()

/** Plays one seed, or so many from it on, or fresh ones. */
async function run(): Promise<number> {
  const seeds = readSeeds()
  if (seeds === undefined) return say(USAGE, EXIT.unusable)
  await using worlds = await openSqliteWorlds()
  const simulated = await simulate(seeds, worlds)
  say(formatTally(simulated))
  if (simulated.failure !== undefined) return say(simulated.failure, EXIT.failed)
  return say('all of it is as it must be', EXIT.ok)
}

function readSeeds(): Iterable<number> | undefined {
  try {
    const text = { type: 'string' } as const
    const { values } = parseArgs({ options: { seed: text, seeds: text, seconds: text } })
    if (Object.values(values).some((value) => !/^\d{1,10}$/.test(value))) return undefined
    const first = numberOf(values.seed)
    const count = numberOf(values.seeds) ?? (first === undefined || values.seconds !== undefined ? Infinity : 1)
    const seconds = numberOf(values.seconds) ?? (count === Infinity ? SECONDS : Infinity)
    return listSeeds(first, count, seconds * 1000)
  } catch {
    return undefined
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

function formatTally({ seeds, steps, facts, kills, virtual_hours, seconds }: Simulated): string {
  const happened = `${steps} steps, ${facts} facts, ${kills} kills, ${Math.round(virtual_hours)} virtual hours`
  return `${seeds} seeds in ${seconds.toFixed(1)} s: ${happened}`
}

function say(text: string, exit_code = EXIT.ok): number {
  process.stderr.write(`${text}\n`)
  return exit_code
}
