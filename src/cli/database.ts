import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { confirmHashKey, KeyedPseudonyms } from '../ingest/pseudonym.ts'
import { Admission } from '../store/admission.ts'
import { catchUp } from '../store/catch-up.ts'
import { refuseHalfMoved } from '../store/move.ts'
import { COMMAND_STATEMENT_MS_MAX, isPostgres, openStore } from '../store/open.ts'
import type { Store } from '../store/store.ts'
import { CliError, EXIT } from './error.ts'
import { readHashKey } from './hash-key.ts'
import { say } from './output.ts'
import { addSettings, DATABASE_SETTINGS } from './settings.ts'

/** The database as a command works with it, beside a running server or without one. */
export interface Database {
  readonly store: Store
  readonly admission: Admission
  readonly hash_key: Uint8Array
  readonly pseudonyms: KeyedPseudonyms
  readonly now_ms: () => number
}

/** The values of DATABASE_SETTINGS. */
export interface DatabaseOptions {
  readonly database: string
  readonly hashKey?: Uint8Array
}

/** Commands that a new database may begin with; any other is asked of one that is there. */
const BEGINNINGS: ReadonlySet<string> = new Set(['readout account add', 'readout import'])

/** Adds a command that works on the database, once what it was given is looked at. */
export function databaseCommand<Options>(
  parent: Command,
  usage: string,
  help: string,
  run: (database: Database, options: Options & DatabaseOptions, values: string[]) => Promise<void>,
  check: (values: readonly string[], options: Options) => void = () => {},
): Command {
  const command = addSettings(parent.command(usage).description(help), DATABASE_SETTINGS)
  command.action(async () => {
    endOnInterrupt('cancelled; what was committed is kept')
    const options = command.opts<Options & DatabaseOptions>()
    const { database } = options
    // Before a database is begun for it.
    check(command.args, options)
    if (isMissing(database) && !BEGINNINGS.has(pathOf(command))) {
      throw new CliError(`there is no database ${database}: name it with --database, or begin with readout account add`)
    }
    await withDatabase(options, (database) => run(database, options, command.args))
  })
  return command
}

/** Whether a file is not there yet: a name that was mistyped looks like a database that begins. */
export function isMissing(database: string): boolean {
  return !isPostgres(database) && !existsSync(database)
}

/** Ends the command when it is interrupted, with these words. */
export function endOnInterrupt(words: string): void {
  process.once('SIGINT', () => {
    say(words)
    process.exit(EXIT.cancelled)
  })
}

/** The words that call a command. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

async function withDatabase(options: DatabaseOptions, work: (database: Database) => Promise<void>): Promise<void> {
  const isNew = isMissing(options.database)
  const hash_key = options.hashKey ?? readHashKey(options.database)
  await using store = await openStore(options.database, { statement_ms_max: COMMAND_STATEMENT_MS_MAX })
  await refuseHalfMoved(store)
  await confirmHashKey(store, hash_key)
  if (isNew) say(`a new database begins at ${options.database}`)
  await work({
    store,
    admission: new Admission(),
    hash_key,
    pseudonyms: new KeyedPseudonyms(hash_key),
    now_ms: () => Temporal.Now.instant().epochMilliseconds,
  })
}

/** Says so where an act that was stopped left numbers as they were before it. */
export async function sayUnresolved({ threads }: Store): Promise<void> {
  const ads = await threads.countUnresolvedAds()
  if (ads === 0) return
  const wait = ads === 1 ? '1 ad waits' : `${ads} ads wait`
  say(`${wait} to be resolved anew, and has old numbers until then; a running server does it, or: readout rebuild`)
}

/** Does what an act of this command has left to do, so that the next answer has it. */
export async function catchUpNow({ store, admission, now_ms }: Database): Promise<void> {
  await catchUp(store, admission, now_ms)
}
