import { parseArgs } from 'node:util'
import { namesPostgres, openPostgres, SERVERS, SERVERS_MIN } from '../contract/postgres.ts'
import { openServersWorlds } from './servers/world.ts'
import { listSeeds, type Simulated, simulate, type Worlds } from './simulate.ts'
import { openSqliteWorlds } from './world/world.ts'

const EXIT = { ok: 0, failed: 1, unusable: 2 }

const USAGE = 'use: npm run simulate -- [--seed N] [--seeds K] [--seconds S] [--database postgres[://…] [--servers N]]'

/** Without a word of how many, fresh seeds are played for so long. */
const SECONDS = 60

process.exitCode = await run()

/** Plays one seed, or so many from it on, or fresh ones. */
async function run(): Promise<number> {
  const options = readOptions()
  if (options === undefined) return say(USAGE, EXIT.unusable)
  await using parts = new AsyncDisposableStack()
  const worlds = parts.use(await openWorlds(options, parts))
  const simulated = await simulate(options.seeds(), worlds)
  say(formatTally(simulated))
  if (simulated.failure !== undefined) return say(simulated.failure, EXIT.failed)
  return say('all of it is as it must be', EXIT.ok)
}

interface Options {
  /** Begins to count the time. */
  readonly seeds: () => Iterable<number>
  /** A PostgreSQL server, or `postgres` for one of our own; a SQLite file where it is not said. */
  readonly database: string | undefined
  readonly servers: number
}

async function openWorlds({ database, servers }: Options, parts: AsyncDisposableStack): Promise<Worlds> {
  if (database === undefined) return openSqliteWorlds()
  const { schemas, name } = parts.use(await openPostgres(database, 'readout_simulation'))
  return openServersWorlds(schemas, servers, `--database ${name} --servers ${servers} `)
}

function readOptions(): Options | undefined {
  try {
    const text = { type: 'string' } as const
    const options = { seed: text, seeds: text, seconds: text, servers: text, database: text }
    const { database, ...numbers } = parseArgs({ options }).values
    if (Object.values(numbers).some((value) => !/^\d{1,10}$/.test(value))) return undefined
    if (database === undefined ? numbers.servers !== undefined : !namesPostgres(database)) return undefined
    const servers = numberOf(numbers.servers) ?? SERVERS
    if (servers < SERVERS_MIN) return undefined
    const first = numberOf(numbers.seed)
    const count = numberOf(numbers.seeds) ?? (first === undefined || numbers.seconds !== undefined ? Infinity : 1)
    const seconds = numberOf(numbers.seconds) ?? (count === Infinity ? SECONDS : Infinity)
    return { seeds: () => listSeeds(first, count, seconds * 1000), database, servers }
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
