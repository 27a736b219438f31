import { closeSync, openSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { formatImportLine, type SandboxEvent } from '../src/sandbox/event.ts'
import type { Bench } from './bench.ts'
import { measureParseLimit, PARSE_LIMIT, parseLines } from './limits.ts'
import {
  ACCOUNTS,
  adsOfAccount,
  type BenchAccount,
  DEEP_ACCOUNT,
  DEEP_DAYS,
  deepEvents,
  HISTORY_DAYS,
  historyEvents,
  importEvents,
} from './load.ts'
import { runReadout } from './node-process.ts'
import { ACTIVE_ADS } from './plan.ts'

/** A file to import, and the first of its bytes in pieces, as an import takes them. */
interface ImportFile {
  readonly file: string
  readonly facts: number
  readonly sample: readonly Buffer[]
  readonly sample_facts: number
}

/** Lines of one piece of the sample: some 2 MB. */
const PIECE_LINES = 6500
const SAMPLE_PIECES_MAX = 8

const RATES = 'country,price,valid_from\n*,0.0141,2015-01-01\n'

/** Measures the import of a month of a few ads, where many facts meet in the same cells. */
export async function measureImport(bench: Bench): Promise<void> {
  const database = join(bench.folder, 'import.db')
  await addAccount(database, ACCOUNTS[0], adsOfAccount(bench.plan))
  await measureFile(bench, database, importEvents(bench.plan, bench.now_ms), monthOf(ACTIVE_ADS), 60_000)
}

/** Makes the database that the server answers from, and measures that import of many ads too; returns the database. */
export async function makeHistory(bench: Bench): Promise<string> {
  const database = join(bench.folder, 'history.db')
  for (const account of ACCOUNTS) await addAccount(database, account, adsOfAccount(bench.plan))
  await addRates(bench, database, ACCOUNTS[0])
  await measureFile(bench, database, historyEvents(bench.plan, bench.now_ms), monthOf(bench.plan.campaigns))
  bench.report.remark(describeHistory(database))
  return database
}

/** Makes the database of the account that is read to the end; returns it. */
export async function makeDeepHistory(bench: Bench): Promise<string> {
  const { plan, now_ms, folder } = bench
  const database = join(folder, 'deep.db')
  await addAccount(database, DEEP_ACCOUNT, plan.deep_ads)
  await measureFile(bench, database, deepEvents(plan, now_ms), `${DEEP_DAYS} days of ${plan.deep_ads} ads`)
  return database
}

function monthOf(ads: number): string {
  return `${HISTORY_DAYS} days of ${ads} ads`
}

async function measureFile(
  bench: Bench,
  database: string,
  events: Iterable<SandboxEvent>,
  of: string,
  to_reach?: number,
): Promise<void> {
  const { facts, file, sample, sample_facts } = writeImportFile(bench, events)
  const { stderr, wall_s, peak_memory_bytes } = await runReadout(['import', file, '--database', database])
  if (!stderr.startsWith(`${facts} facts of ${facts} lines`) || stderr.trim().includes('\n')) {
    bench.report.fail(`the import of ${facts} facts says: ${stderr.trim()}`)
  }
  const limit = measureParseLimit(sample, sample_facts, parseLines, bench.plan.limit_ms)
  const rate = { unit: 'facts/s', measured: facts / wall_s, limit: { value: limit, of: PARSE_LIMIT } } as const
  bench.report.add(
    { what: `import of ${facts} facts, ${of}`, ...rate, ...(to_reach && { to_reach }) },
    { what: '  peak memory', unit: 'MB', measured: megabytes(peak_memory_bytes), to_reach: 400 },
    { what: '  database, per message', unit: 'bytes', measured: bytesPerMessage(database) },
  )
}

async function addAccount(database: string, { account_id, page_id }: BenchAccount, ads: number): Promise<void> {
  const fields = ['--name', `${ads} ads`, '--currency', 'USD', '--time-zone', 'UTC', '--page', page_id]
  await runReadout(['account', 'add', account_id, ...fields, '--database', database])
}

/** Prices for the webhooks of an account; an import's facts bring their own. */
async function addRates({ folder }: Bench, database: string, { account_id }: BenchAccount): Promise<void> {
  const rates = join(folder, 'rates.csv')
  writeFileSync(rates, RATES)
  await runReadout(['rates', 'import', rates, '--account', account_id, '--database', database])
}

function writeImportFile({ folder }: Bench, events: Iterable<SandboxEvent>): ImportFile {
  const file = join(folder, 'facts.ndjson')
  const out = openSync(file, 'w')
  const sample: Buffer[] = []
  let facts = 0
  let sample_facts = 0
  for (const lines of piecesOf(events)) {
    const piece = Buffer.from(`${lines.join('\n')}\n`)
    writeFileSync(out, piece)
    facts += lines.length
    if (sample.length >= SAMPLE_PIECES_MAX) continue
    sample.push(piece)
    sample_facts += lines.length
  }
  closeSync(out)
  return { file, facts, sample, sample_facts }
}

function* piecesOf(events: Iterable<SandboxEvent>): Generator<string[], void, undefined> {
  let lines: string[] = []
  for (const event of events) {
    lines.push(formatImportLine(event))
    if (lines.length < PIECE_LINES) continue
    yield lines
    lines = []
  }
  yield lines
}

/** The size of the database file, with everything in it that its log held, over its messages. */
function bytesPerMessage(file: string): number {
  using db = new DatabaseSync(file)
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const messages = Number(db.prepare('SELECT COUNT(*) AS messages FROM message').get()?.messages)
  return statSync(file).size / messages
}

/** How full the cells are that insights are summed from. */
function describeHistory(file: string): string {
  using db = new DatabaseSync(file)
  const { campaigns, days } = db.prepare(COUNT_DAYS).get() ?? {}
  const { countries } = db.prepare(COUNT_COUNTRIES).get() ?? {}
  const mean = (Number(days) / Number(campaigns)).toFixed(1)
  return `insights are read from ${campaigns} campaigns with ${mean} active days in the mean, in ${countries} countries`
}

const COUNT_DAYS = 'SELECT COUNT(DISTINCT ad) AS campaigns, COUNT(*) AS days FROM rollup WHERE ad <> 0'
const COUNT_COUNTRIES = 'SELECT COUNT(DISTINCT country) AS countries FROM rollup_country'

export function megabytes(bytes: number | null): number | null {
  return bytes === null ? null : bytes / 1e6
}
