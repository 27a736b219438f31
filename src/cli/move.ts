import { existsSync, realpathSync } from 'node:fs'
import type { Command } from 'commander'
import { confirmSameHashKey } from '../ingest/pseudonym.ts'
import { type Moved, type MovedStore, move } from '../store/move.ts'
import { COMMAND_STATEMENT_MS_MAX, describeDatabase, isPostgres, lockStore, openStore } from '../store/open.ts'
import { endOnInterrupt } from './database.ts'
import { CliError } from './error.ts'
import { hashKeyFile } from './hash-key.ts'
import { count, say } from './output.ts'
import { Progress } from './progress.ts'
import { databaseParser } from './settings.ts'
import { misused } from './values.ts'

interface Options {
  readonly from: string
  readonly to: string
}

/** `readout move`. */
export function addMoveCommand(program: Command): void {
  const help =
    'move everything to a new database, of SQLite or PostgreSQL, and compare every row; while no server runs; safe to repeat'
  const command = program.command('move').description(help)
  command.requiredOption('--from <FILE|URL>', 'the database that is moved; it stays as it is', databaseParser('--from'))
  command.requiredOption('--to <FILE|URL>', 'the new one, or one that is empty', databaseParser('--to'))
  command.action(() => moveDatabase(command.opts<Options>()))
}

async function moveDatabase({ from, to }: Options): Promise<void> {
  if (from === to) throw misused('--from and --to are the same database: name another with --to')
  if (!isPostgres(from) && !existsSync(from)) throw new CliError(`there is no database ${from}: name it with --from`)
  endOnInterrupt('cancelled; what was moved is kept, and the same command goes on')
  using _from = lockStore(from, 'move')
  using _to = lockStore(to, 'move')
  const options = { statement_ms_max: COMMAND_STATEMENT_MS_MAX, is_locked: true }
  await using source = await openStore(from, options)
  await using target = await openStore(to, options)
  await confirmSameHashKey(source, target)
  const moved = await moveWithProgress({ name: nameOf(from), store: source }, { name: nameOf(to), store: target })
  sayMoved(moved, from, to)
}

async function moveWithProgress(from: MovedStore, to: MovedStore): Promise<Moved> {
  using progress = new Progress('moving')
  let last = ''
  return move(from, to, {
    onProgress: (done, total, act) => {
      progress.update(done, total, act)
      if (!process.stderr.isTTY && act !== last) say(`${act}, ${done} of ${total} rows moved and compared`)
      last = act
    },
  })
}

function sayMoved({ rows, found, differences }: Moved, from: string, to: string): void {
  if (found > 0) say(`${count(found, 'row')} had been moved before`)
  for (const difference of differences) say(difference)
  if (differences.length > 0) {
    throw new CliError(
      `these first differences are in ${count(differences.length, 'table')}: one of the two databases has changed since it was ` +
        'moved; to have what --from holds now, name a new or empty one with --to',
    )
  }
  say(`moved ${count(rows, 'row')} to ${describeDatabase(to)}; every one is the same in both`)
  say(`the hash key is not in it: ${wordsOnKey(from, to)}`)
  say(`${describeDatabase(from)} is as it was; whatever it takes from now on stays there`)
}

function wordsOnKey(from: string, to: string): string {
  const [ours, theirs] = [from, to].map((database) => (isPostgres(database) ? undefined : hashKeyFile(database)))
  const isFile = ours !== undefined && existsSync(ours)
  if (theirs === undefined)
    return `set READOUT_HASH_KEY to ${isFile ? `what ${ours} holds` : 'what it was'}, the same for every server`
  return isFile
    ? `copy ${ours} to ${theirs}`
    : `it is what it was; set READOUT_HASH_KEY to it, or put it into ${theirs}`
}

/** The same from wherever it is called, since a move that was stopped knows it by this name. */
function nameOf(database: string): string {
  return isPostgres(database) ? describeDatabase(database) : realpathSync(database)
}
