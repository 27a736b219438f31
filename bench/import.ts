import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
import { medianOf, repeat } from './median.ts'
import { runReadout } from './node-process.ts'
import { ACTIVE_ADS } from './plan.ts'

/** A file to import, and the first of its bytes in pieces, as an import takes them. */
export interface ImportFile {
  readonly file: string
  readonly facts: number
  readonly sample: readonly Buffer[]
  readonly sample_facts: number
}

/** Lines of one piece of the sample: some 2 MB. */
const PIECE_LINES = 6500
const SAMPLE_PIECES_MAX = 8

const RATES = 'country,price,valid_from\n*,0.0141,2015-01-01\n'

/** An import that is measured: what of, and into which database, which is made anew for each round. */
interface Importing {
  readonly of: string
  readonly events: Iterable<SandboxEvent>
  /** The database's name. */
  readonly name: string
  readonly prepare: (database: string) => Promise<void>
  readonly rounds: number
  readonly ratio_to_reach?: number
  readonly bytes_to_reach?: number
}

/** Measures the import of a month of a few ads, where many facts meet in the same cells. */
export async function measureImport(bench: Bench): Promise<void> {
  const { plan, now_ms } = bench
  await measureImporting(bench, {
    of: monthOf(ACTIVE_ADS),
    events: importEvents(plan, now_ms),
    name: 'import',
    prepare: (database) => addAccount(database, ACCOUNTS[0], adsOfAccount(plan)),
    rounds: plan.import_rounds,
    ratio_to_reach: 0.08,
    bytes_to_reach: 150,
  })
}

/** Makes the database that the server answers from, and measures that import of many ads too; returns the database. */
export async function makeHistory(bench: Bench): Promise<string> {
  const database = await measureImporting(bench, historyOf(bench, 'history'))
  bench.report.remark(await describeHistory(bench, database))
  return database
}

/** Makes such a database once more, in the place of the last one made so; returns it. */
export async function makeHistoryAgain(bench: Bench): Promise<string> {
  const importing = historyOf(bench, 'again')
  const written = writeImportFile(bench, importing.events)
  const { database } = await importOnce(bench, importing, written)
  rmSync(written.file)
  return database
}

function historyOf(bench: Bench, name: string): Importing {
  const { plan, now_ms } = bench
  const prepare = async (database: string) => {
    for (const account of ACCOUNTS) await addAccount(database, account, adsOfAccount(plan))
    await addRates(bench, database, ACCOUNTS[0])
  }
  return { of: monthOf(plan.campaigns), events: historyEvents(plan, now_ms), name, prepare, rounds: 1 }
}

/** Makes the database of the account that is read to the end; returns it. */
export async function makeDeepHistory(bench: Bench): Promise<string> {
  const { plan, now_ms } = bench
  const prepare = (database: string) => addAccount(database, DEEP_ACCOUNT, plan.deep_ads)
  const of = `${DEEP_DAYS} days of ${plan.deep_ads} ads`
  return measureImporting(bench, { of, events: deepEvents(plan, now_ms), name: 'deep', prepare, rounds: 1 })
}

function monthOf(ads: number): string {
  return `${HISTORY_DAYS} days of ${ads} ads`
}

/** What one import came to. */
interface Imported {
  readonly database: string
  readonly wall_s: number
  readonly peak_memory_bytes: number | null
  /** How many facts a second are parsed alone. */
  readonly limit: number
}

/** Returns the database of the last round. */
async function measureImporting(bench: Bench, importing: Importing): Promise<string> {
  const { of, rounds, ratio_to_reach, bytes_to_reach } = importing
  const written = writeImportFile(bench, importing.events)
  const imports = await repeat(rounds, () => importOnce(bench, importing, written))
  rmSync(written.file)
  const limit = { value: medianOf(imports.map((one) => one.limit)), of: PARSE_LIMIT }
  const measured = written.facts / medianOf(imports.map(({ wall_s }) => wall_s))
  const { database } = imports.at(-1) as Imported
  const { bytes } = await bytesPerMessage(bench, database)
  const peak = Math.max(...imports.map(({ peak_memory_bytes }) => peak_memory_bytes ?? Number.NaN))
  bench.report.add(
    {
      what: `import of ${written.facts} facts, ${of}`,
      unit: 'facts/s',
      measured,
      limit,
      ...(ratio_to_reach && { ratio_to_reach }),
    },
    { what: '  peak memory', unit: 'MB', measured: megabytes(peak), to_reach: 400 },
    {
      what: '  database, per message',
      unit: 'bytes',
      measured: bytes,
      ...(bytes_to_reach && { to_reach: bytes_to_reach }),
    },
  )
  return database
}

async function importOnce(
  bench: Bench,
  { name, prepare }: Importing,
  { file, facts, sample, sample_facts }: ImportFile,
): Promise<Imported> {
  const database = await bench.databases.create(name)
  await prepare(database)
  const { stderr, wall_s, peak_memory_bytes } = await runReadout(['import', file, '--database', database])
  if (!stderr.startsWith(`${facts} facts of ${facts} lines`) || stderr.trim().includes('\n')) {
    bench.report.fail(`the import of ${facts} facts says: ${stderr.trim()}`)
  }
  const limit = measureParseLimit(sample, sample_facts, parseLines, bench.plan.limit_ms)
  return { database, wall_s, peak_memory_bytes, limit }
}

export async function addAccount(database: string, { account_id, page_id }: BenchAccount, ads: number): Promise<void> {
  const fields = ['--name', `${ads} ads`, '--currency', 'USD', '--time-zone', 'UTC', '--page', page_id]
  await runReadout(['account', 'add', account_id, ...fields, '--database', database])
}

/** Prices for the webhooks of an account; an import's facts bring their own. */
async function addRates({ folder }: Bench, database: string, { account_id }: BenchAccount): Promise<void> {
  const rates = join(folder, 'rates.csv')
  writeFileSync(rates, RATES)
  await runReadout(['rates', 'import', rates, '--account', account_id, '--database', database])
}

export function writeImportFile({ folder }: Bench, events: Iterable<SandboxEvent>): ImportFile {
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

/** The size of a database over its messages. */
export async function bytesPerMessage(
  { databases }: Bench,
  database: string,
): Promise<{ bytes: number; messages: number }> {
  const messages = Number((await databases.read(database, 'SELECT COUNT(*) AS messages FROM message')).messages)
  return { bytes: (await databases.readSize(database)) / messages, messages }
}

/** How full the cells are that insights are summed from. */
async function describeHistory({ databases }: Bench, database: string): Promise<string> {
  const { campaigns, days } = await databases.read(database, COUNT_DAYS)
  const { countries } = await databases.read(database, COUNT_COUNTRIES)
  const mean = (Number(days) / Number(campaigns)).toFixed(1)
  return `insights are read from ${campaigns} campaigns with ${mean} active days in the mean, in ${countries} countries`
}

const COUNT_DAYS = 'SELECT COUNT(DISTINCT ad) AS campaigns, COUNT(*) AS days FROM rollup WHERE ad <> 0'
const COUNT_COUNTRIES = 'SELECT COUNT(DISTINCT country) AS countries FROM rollup_country'

/** `null` where the system does not tell: of `null`, and of `NaN`. */
export function megabytes(bytes: number | null): number | null {
  return bytes === null || Number.isNaN(bytes) ? null : bytes / 1e6
}
