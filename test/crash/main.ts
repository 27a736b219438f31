import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { inspect, parseArgs } from 'node:util'
import { readMachine } from '../../bench/machine.ts'
import { namesPostgres, openPostgres, SERVERS, SERVERS_MIN } from '../contract/postgres.ts'
import { type CrashPlace, runCrashLoop } from './crash-loop.ts'
import { fileCrashes } from './file.ts'
import { formatRecord, writeRecord } from './record.ts'
import { serversCrashes } from './servers.ts'

const EXIT = { ok: 0, failed: 1, unusable: 2 }
const USAGE = 'use: npm run crash -- [--rounds N] [--seed N] [--record] [--database postgres[://…] [--servers N]]'
const ROUNDS = '30'

process.exitCode = await run()

/** Kills and counts for so many rounds, and prints what came of it. */
async function run(): Promise<number> {
  const options = readOptions()
  if (options === undefined) return say(USAGE, EXIT.unusable)
  const { rounds, seed, isRecorded } = options
  await using parts = new AsyncDisposableStack()
  // As it is when the run begins: it is that code which the servers run.
  const machine = readMachine()
  try {
    const place = await openPlace(options, parts)
    const record = await runCrashLoop(rounds, seed, place, (so_far) => say(`${so_far.rounds} of ${rounds} rounds`))
    process.stdout.write(formatRecord(record))
    if (isRecorded) say(`recorded in ${relative(process.cwd(), writeRecord(record, machine, Date.now()))}`)
    return EXIT.ok
  } catch (error) {
    return say(inspect(error, { depth: 8 }), EXIT.failed)
  }
}

interface Options {
  readonly rounds: number
  readonly seed: number
  readonly isRecorded: boolean
  /** A PostgreSQL server, or `postgres` for one of our own; a SQLite file where it is not said. */
  readonly database: string | undefined
  readonly servers: number
}

/** Where servers are killed; what is left of a world that fails is named where it goes. */
async function openPlace({ database, servers }: Options, parts: AsyncDisposableStack): Promise<CrashPlace> {
  if (database === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'readout-crash-'))
    parts.defer(() => removeEmpty(folder))
    return fileCrashes(folder)
  }
  const { schemas, name } = parts.use(await openPostgres(database, 'readout_crash'))
  return serversCrashes(schemas, servers, `--database ${name} --servers ${servers} `)
}

function removeEmpty(folder: string): void {
  if (readdirSync(folder).length === 0) rmdirSync(folder)
  else say(`its files are kept in ${folder}`)
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string', default: ROUNDS },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        record: { type: 'boolean', default: false },
        database: { type: 'string' },
        servers: { type: 'string' },
      },
    })
    const { record: isRecorded, database } = values
    const [rounds, seed, servers] = [values.rounds, values.seed, values.servers ?? SERVERS].map(Number) as [
      number,
      number,
      number,
    ]
    const isUsable =
      [rounds, seed, servers].every((number) => Number.isSafeInteger(number) && number >= 0) && rounds > 0
    if (!isUsable || servers < SERVERS_MIN || (database === undefined && values.servers !== undefined)) return undefined
    if (database !== undefined && !namesPostgres(database)) return undefined
    return { rounds, seed, isRecorded, database, servers }
  } catch {
    return undefined
  }
}

function say(message: string, exit_code = EXIT.ok): number {
  process.stderr.write(`${message}\n`)
  return exit_code
}
