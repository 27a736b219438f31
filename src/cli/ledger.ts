import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { forget } from '../store/forget.ts'
import { type Discrepancy, rebuild, verify } from '../store/verify.ts'
import { type Database, databaseCommand, sayUnresolved } from './database.ts'
import { CliError, EXIT } from './error.ts'
import { type Column, type OutputMode, outputOption, printRows, say } from './output.ts'
import { Progress } from './progress.ts'
import { misused } from './values.ts'

/** Discrepancies that are printed; the rest is counted. */
const DISCREPANCIES_MAX = 1000

const COLUMNS: readonly Column[] = [
  { key: 'node', label: 'Node' },
  { key: 'day', label: 'Day' },
  { key: 'table', label: 'Table' },
  { key: 'amount_of', label: 'Amount of' },
  { key: 'stored', label: 'Stored' },
  { key: 'recounted', label: 'Recounted' },
]

/** `readout verify`, `readout rebuild`, `readout forget`. */
export function addLedgerCommands(program: Command): void {
  const help =
    'check the database file, count every rollup anew from the ledger and print where it differs; exit 1 if any does'
  databaseCommand(program, 'verify', help, verifyDatabase).addOption(outputOption())
  databaseCommand(program, 'rebuild', 'resolve every thread anew and replace every rollup', rebuildRollups)
  databaseCommand(
    program,
    'forget <token>',
    'put a person, named by their messenger_subscription_token, under a random id; the counts stay',
    forgetPerson,
  )
}

async function verifyDatabase(database: Database, options: { output: OutputMode }): Promise<void> {
  const damage = await database.store.findDamage()
  if (damage.length === 0) return printDiscrepancies(database, options)
  for (const fault of damage) say(fault)
  throw new CliError(
    'the database is damaged, so nothing can be counted; put a backup in its place with: readout restore',
  )
}

async function printDiscrepancies({ store }: Database, options: { output: OutputMode }): Promise<void> {
  const discrepancies: Discrepancy[] = []
  let count = 0
  using progress = new Progress('verifying')
  await store.read((tables) =>
    verify(
      tables,
      (discrepancy) => {
        count++
        if (count <= DISCREPANCIES_MAX) discrepancies.push(discrepancy)
      },
      (done, total) => progress.update(done, total, `${count} differences`),
    ),
  )
  progress[Symbol.dispose]()
  const rows = discrepancies.map((one) => ({ ...one, stored: String(one.stored), recounted: String(one.recounted) }))
  // For eyes, the sentence says it all; a program gets its empty list.
  if (count > 0 || options.output !== 'table') printRows(COLUMNS, rows, options.output)
  await sayUnresolved(store)
  if (count === 0) {
    say('every rollup is the sum of its threads')
    return
  }
  say(`${count} amounts differ from the ledger; heal them with: readout rebuild`)
  process.exitCode = EXIT.failed
}

async function rebuildRollups({ store, admission, now_ms }: Database): Promise<void> {
  using progress = new Progress('rebuilding')
  await rebuild(store, admission, now_ms, (done, total) => progress.update(done, total))
  progress[Symbol.dispose]()
  say('every thread is resolved anew, and every rollup replaced')
}

async function forgetPerson(
  { store, pseudonyms, now_ms }: Database,
  _options: unknown,
  [token = '']: string[],
): Promise<void> {
  if (token === '') throw misused('the token is empty: name the person by their messenger_subscription_token')
  const rows = await forget(store, pseudonyms.subscriber(token), randomBytes(12).toString('base64url'), now_ms())
  const known = rows > 0 ? 'the person is forgotten; the counts stay' : 'nobody is known by this token'
  say(`${known}; facts that come late are refused for seven days`)
}
