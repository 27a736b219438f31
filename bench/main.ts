import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { isPostgres } from '../src/store/open.ts'
import { type Bench, Report } from './bench.ts'
import { type Databases, PostgresDatabases, SqliteDatabases } from './databases.ts'
import { measureDeep, measureMeanwhile, readExpected } from './deep.ts'
import { measureGrowth } from './growth.ts'
import { makeDeepHistory, makeHistory, makeHistoryAgain, measureImport, megabytes } from './import.ts'
import { measureBatches, measureBreakdowns, measureBusy, measureIdle, openSubjects } from './insights.ts'
import { measureSync, SYNCED_BYTES } from './limits.ts'
import { ACCOUNTS, DEEP_ACCOUNT, liveEvents } from './load.ts'
import { formatMachine, readMachine } from './machine.ts'
import { FULL, type Plan, POSTGRES, QUICK } from './plan.ts'
import { createToken, startServer } from './readout-server.ts'
import { writeRecord } from './record.ts'
import { measureReadStatements, measureWriteStatements } from './statements.ts'
import { formatTable } from './table.ts'
import { measureBulk, measureSeveral, measureSingleWebhooks, measureSteadyWebhooks } from './webhooks.ts'
import { hasWrk } from './wrk.ts'

/** Everything was measured, and was as it must be; it was not; or the bench cannot run like this. */
const EXIT = { ok: 0, failed: 1, unusable: 2 }

const USAGE = 'use: npm run bench -- [--quick | --record] [--growth | --database postgres://…]'

process.exitCode = await run()

/** Measures everything on this machine, and prints it. */
async function run(): Promise<number> {
  const options = readOptions()
  if (options === undefined) return say(USAGE, EXIT.unusable)
  if (!hasWrk()) {
    return say('bench: wrk makes the load and is not there: apt install wrk, or brew install wrk', EXIT.unusable)
  }
  // Ends through `exit`, on which the temporary files go, and the processes that were started.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(EXIT.failed))
  const machine = readMachine()
  const folder = makeFolder()
  await using databases = await openDatabases(options, folder)
  const bench = openBench(options, folder, databases)
  if (options.isGrowth) await measureGrowth(bench, say)
  else await measure(bench)
  const { figures, remarks, failures } = bench.report
  process.stdout.write(`${formatTable(figures)}\n${formatMachine(machine)}, ${bench.plan.name} run\n`)
  for (const remark of remarks) process.stdout.write(`${remark}\n`)
  for (const failure of failures) say(`bench: not as it must be: ${failure}`)
  if (options.isRecorded) say(`recorded in ${relative(process.cwd(), writeRecord(bench, machine, suffixOf(options)))}`)
  return failures.length === 0 ? EXIT.ok : EXIT.failed
}

/** What is measured, on which engine, and whether it is recorded. */
interface Options {
  readonly plan: Plan
  readonly isRecorded: boolean
  readonly isGrowth: boolean
  /** Of PostgreSQL's; SQLite where there is none. */
  readonly url: string | undefined
}

function readOptions(): Options | undefined {
  try {
    const flag = { type: 'boolean', default: false } as const
    const { values } = parseArgs({ options: { quick: flag, record: flag, growth: flag, database: { type: 'string' } } })
    const { quick, record, growth, database: url } = values
    if ((quick && record) || (growth && url !== undefined) || (url !== undefined && !isPostgres(url))) return undefined
    return { plan: quick ? QUICK : url === undefined ? FULL : POSTGRES, isRecorded: record, isGrowth: growth, url }
  } catch {
    return undefined
  }
}

/** Removed at the end. */
function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'readout-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function openDatabases({ url }: Options, folder: string): Promise<Databases> {
  return url === undefined ? new SqliteDatabases(folder) : PostgresDatabases.open(url)
}

function openBench({ plan }: Options, folder: string, databases: Databases): Bench {
  const now_ms = Date.now()
  const app_secret = randomBytes(32).toString('hex')
  return { plan, folder, databases, now_ms, app_secret, live: liveEvents(plan, now_ms), report: new Report() }
}

/** The order matters: what is read first is not disturbed by what was written last. */
async function measure(bench: Bench): Promise<void> {
  say('importing')
  bench.report.remark(
    `a sync of ${SYNCED_BYTES} bytes to this disk took ${measureSync(bench.folder).toFixed(2)} ms in the median`,
  )
  await measureImport(bench)
  if (isOnPostgres(bench)) await measureWriteStatements(bench)
  const peak = await measureHistory(bench, await makeHistory(bench))
  say('posting large webhooks')
  const peakOfBulk = await measureBulk(bench, () => makeHistoryAgain(bench))
  const measured = megabytes(Math.max(peak, peakOfBulk))
  bench.report.add({ what: 'server: peak memory, all of the above', unit: 'MB', measured, to_reach: 400 })
  say('importing an account of many ads')
  await measureDeepHistory(bench, await makeDeepHistory(bench))
}

/** Returns the most memory that the server used. */
async function measureHistory(bench: Bench, database: string): Promise<number> {
  const token = await createToken(database, ACCOUNTS)
  await using server = await startServer(bench, database)
  say('reading insights')
  const subjects = await openSubjects(bench, server, token)
  const [campaigns, account] = subjects
  const singles = await measureIdle(bench, server, campaigns)
  if (isOnPostgres(bench)) await measureReadStatements(bench, database, token, campaigns.ids, singles)
  const accounts = await measureIdle(bench, server, account)
  await measureBatches(bench, server, token, campaigns, singles)
  for (const subject of subjects) await measureBreakdowns(bench, server, token, subject)
  say('posting webhooks')
  await measureSingleWebhooks(bench, server)
  await measureSteadyWebhooks(bench, server)
  say('reading insights under ingest')
  await measureBusy(bench, server, campaigns, singles)
  await measureBusy(bench, server, account, accounts)
  await measureSeveral(bench, server)
  return server.peak_memory_bytes ?? Number.NaN
}

function isOnPostgres({ databases }: Bench): boolean {
  return databases instanceof PostgresDatabases
}

/** A server of its own, so that its memory is that of this work alone. */
async function measureDeepHistory(bench: Bench, database: string): Promise<void> {
  const expected = await readExpected(bench, database)
  const token = await createToken(database, [DEEP_ACCOUNT])
  await using server = await startServer(bench, database)
  say('reading it to the end')
  await measureDeep(bench, server, token, expected)
  await measureMeanwhile(bench, server, token)
}

function say(message: string, exit_code = EXIT.ok): number {
  process.stderr.write(`${message}\n`)
  return exit_code
}

function suffixOf({ isGrowth, url }: Options): string {
  if (isGrowth) return '-growth'
  return url === undefined ? '' : '-postgres'
}
