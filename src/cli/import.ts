import { existsSync, realpathSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import { CsvFileError, type RowsImported } from '../ingest/csv.ts'
import type { Imported } from '../ingest/import.ts'
import { importApart } from '../ingest/import-worker.ts'
import { importRates } from '../ingest/rates.ts'
import { importSubscribers } from '../ingest/subscribers.ts'
import { catchUp } from '../store/catch-up.ts'
import type { Store } from '../store/store.ts'
import { type Database, type DatabaseOptions, databaseCommand } from './database.ts'
import { CliError, EXIT } from './error.ts'
import { count, say } from './output.ts'
import { Progress } from './progress.ts'
import { findAccount, misused } from './values.ts'

/** Bad lines of one file that are printed; the rest is counted. */
const BAD_LINES_MAX = 100

/** `readout import`, `readout subscribers import`, `readout rates import`. */
export function addImportCommands(program: Command): void {
  databaseCommand(
    program,
    'import <file>',
    'append the facts of an NDJSON file, one a line; safe to repeat',
    importFile,
    ([named = '']) => findFile(named),
  )
  const subscribers = program.command('subscribers').description("subscribers' countries")
  databaseCommand(
    subscribers,
    'import <file>',
    'add a CSV file with the columns token,country to the subscriber list',
    importSubscriberFile,
  )
  const rates = program.command('rates').description('what a delivered message costs')
  databaseCommand(
    rates,
    'import <file>',
    "add a CSV file with the columns country,price,valid_from to an account's rate card; * is any country",
    importRateFile,
  ).option('--account <act_ID>', 'whose rate card; may be left out while there is one account')
}

async function importFile(
  { store, admission, hash_key, now_ms }: Database,
  options: DatabaseOptions,
  [named = '']: string[],
): Promise<void> {
  const file = findFile(named)
  const total = statSync(file).size
  const bad = new BadLines(named)
  const started_ms = performance.now()
  using progress = new Progress('importing')
  const imported = await importApart(
    { file, database: options.database, hash_key, started_at: now_ms() },
    {
      onBadLine: (line, reason) => bad.add(line, reason),
      onProgress: ({ bytes, facts }) => progress.update(bytes, total, count(facts, 'fact')),
    },
  )
  // A line may have registered the ad of another before it, which was parked.
  if (imported.parked > 0) await catchUp(store, admission, now_ms)
  const parked = imported.parked > 0 ? Math.min(imported.parked, await countParked(store)) : 0
  progress[Symbol.dispose]()
  bad.end()
  sayImported({ ...imported, parked }, (performance.now() - started_ms) / 1000)
  if (imported.bad_lines > 0) process.exitCode = EXIT.failed
}

async function countParked({ setAside }: Store): Promise<number> {
  return (await setAside.listParked()).reduce((sum, { facts }) => sum + facts, 0)
}

function sayImported(imported: Imported, seconds: number): void {
  const { facts, lines, parked, forgotten, pruned, bad_lines, resumed_after_line } = imported
  if (resumed_after_line > 0) say(`went on after line ${resumed_after_line}, where the last import was interrupted`)
  say(`${count(facts, 'fact')} of ${count(lines - resumed_after_line, 'line')} in ${seconds.toFixed(1)} s`)
  if (parked > 0) say(`waiting for their ads to be registered: ${count(parked, 'fact')}; see: readout parked`)
  if (forgotten > 0) say(`refused because the person was forgotten: ${count(forgotten, 'fact')}`)
  if (pruned > 0) say(`refused because what they tell of was pruned: ${count(pruned, 'fact')}; see: readout status`)
  if (bad_lines > 0) say(`left out because they are no facts: ${count(bad_lines, 'line')}`)
}

async function importSubscriberFile(database: Database, _options: unknown, [named = '']: string[]): Promise<void> {
  const bad = new BadLines(named)
  const { store, admission, pseudonyms, now_ms } = database
  try {
    await finishRows(database, bad, await importSubscribers(findFile(named), store, pseudonyms, bad.add))
  } catch (error) {
    // What stands before the fault was added, and is not to wait for the next command.
    if (error instanceof CsvFileError) await catchUp(store, admission, now_ms)
    throw error
  }
}

async function importRateFile(
  database: Database,
  options: { account?: string },
  [named = '']: string[],
): Promise<void> {
  const account = await findRateAccount(database, options.account)
  const bad = new BadLines(named)
  const imported = await importRates(findFile(named), database.store, account, bad.add)
  await finishRows(database, bad, imported)
}

async function findRateAccount({ store }: Database, named: string | undefined): Promise<number> {
  if (named !== undefined) return (await findAccount(store, named)).account
  const accounts = await store.registry.listAccounts()
  const [only] = accounts
  if (only === undefined) throw new CliError('there is no account yet; add one with: readout account add')
  if (accounts.length === 1) return only.account
  throw misused(`there are ${accounts.length} accounts: say whose rate card it is with --account act_ID`)
}

async function finishRows(
  { store, admission, now_ms }: Database,
  bad: BadLines,
  imported: RowsImported,
): Promise<void> {
  bad.end()
  let resolved = 0
  await catchUp(store, admission, now_ms, (done) => (resolved = done))
  say(`${count(imported.rows, 'row')} imported; ${count(resolved, 'thread')} looked at anew`)
  if (imported.bad_rows === 0) return
  say(`left out because they are not as they should be: ${count(imported.bad_rows, 'row')}`)
  process.exitCode = EXIT.failed
}

/** The file under its real name, so that an import goes on from wherever it is called. */
function findFile(named: string): string {
  const file = existsSync(named) ? realpathSync(named) : undefined
  if (file === undefined) throw new CliError(`cannot import ${named}: there is no such file`)
  if (!statSync(file).isFile()) throw new CliError(`cannot import ${named}: it is not a file`)
  return file
}

/** Prints lines that were left out, up to a limit. */
class BadLines {
  readonly #file: string
  #count = 0

  constructor(file: string) {
    this.#file = file
  }

  add = (line: number, reason: string): void => {
    this.#count++
    if (this.#count <= BAD_LINES_MAX) say(`${this.#file}:${line}: ${reason}`)
  }

  end(): void {
    if (this.#count > BAD_LINES_MAX) say(`… and ${this.#count - BAD_LINES_MAX} more`)
  }
}
