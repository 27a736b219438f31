import { copyFileSync, existsSync, linkSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { confirmHashKey } from '../ingest/pseudonym.ts'
import { refuseHalfMoved } from '../store/move.ts'
import { describeDatabase, isPostgres } from '../store/open.ts'
import { beginDraft, copyDatabase, foldLog, publishDraft } from '../store/sqlite/backup.ts'
import { refuseOrphanedLog } from '../store/sqlite/database.ts'
import { lockDatabase } from '../store/sqlite/lock.ts'
import { openSqliteStore } from '../store/sqlite/store.ts'
import type { Store } from '../store/store.ts'
import { type DatabaseOptions, endOnInterrupt } from './database.ts'
import { CliError } from './error.ts'
import { hashKeyFile, isDatabase, readKeyFile, writeHashKey } from './hash-key.ts'
import { count, formatBytes, say } from './output.ts'
import { Progress } from './progress.ts'
import { addSettings, DATABASE_SETTINGS } from './settings.ts'
import { misused } from './values.ts'

/** What SQLite keeps beside a database: a log with what is committed last, and its index. */
const BESIDE = ['-wal', '-shm']

interface RestoreOptions extends DatabaseOptions {
  readonly replace?: boolean
}

/** `readout backup`, `readout restore`. */
export function addBackupCommands(program: Command): void {
  const backupHelp = 'copy the database as it is at this moment to a file that is not there yet; a server may run'
  const backup = addSettings(program.command('backup <file>').description(backupHelp), DATABASE_SETTINGS)
  backup.action((file: string) => backUp(file, backup.opts<DatabaseOptions>()))
  const restoreHelp = 'check a backup and make it the database; while no server runs'
  const restore = addSettings(program.command('restore <file>').description(restoreHelp), DATABASE_SETTINGS)
  restore.option('--replace', 'move a database that is there aside, to FILE.replaced')
  restore.action((file: string) => restoreFrom(file, restore.opts<RestoreOptions>()))
}

async function backUp(file: string, { database, hashKey }: DatabaseOptions): Promise<void> {
  if (file === '') throw misused('the name of the backup is empty: name a file')
  refusePostgres('back up', database, 'pg_dump')
  if (!existsSync(database)) throw new CliError(`there is no database ${database}: name it with --database`)
  refuseExisting(file, 'back up to', 'name another, or move it away')
  if (!existsSync(dirname(file))) throw new CliError(`cannot back up to ${file}: there is no folder ${dirname(file)}`)
  const draft = draftOf(file)
  using _own = ownDraft('back up', database, draft)
  await copyWithProgress('back up', database, draft)
  refuseExisting(file, 'back up to', 'name another, or move it away')
  publishDraft(draft, file)
  const key = hashKey === undefined ? `a copy of ${hashKeyFile(database)}` : 'what --hash-key was given'
  say(`backed up ${formatBytes(statSync(file).size)} to ${file}`)
  say(`the hash key is not in it, and without it the backup cannot be used: keep ${key} in another place`)
}

async function restoreFrom(file: string, options: RestoreOptions): Promise<void> {
  const { database, replace = false } = options
  refusePostgres('restore to', database, 'pg_restore')
  if (!existsSync(file)) throw new CliError(`cannot restore ${file}: there is no such file`)
  if (statSync(file).size > 0 && !isDatabase(file)) {
    throw new CliError(`cannot restore ${file}: it is no database, or its beginning is damaged; take another backup`)
  }
  checkPlace(database, replace)
  using _lock = lockDatabase(database, 'restore')
  const keys = options.hashKey === undefined ? readKeysOf(file, database) : [options.hashKey]
  const draft = draftOf(database)
  using _own = ownDraft('restore', file, draft)
  await copyWithProgress('restore', file, draft)
  const { contents, hash_key } = await describeDraft(draft, keys)
  checkPlace(database, replace)
  checkKeys(database, hash_key)
  keepAside(database)
  publishDraft(draft, database)
  keepKey(hashKeyFile(database), hash_key, options.hashKey !== undefined)
  say(`restored ${formatBytes(statSync(database).size)} to ${database}: ${contents}`)
  if (!existsSync(hashKeyFile(database))) {
    say(`its hash key is not kept: go on setting READOUT_HASH_KEY, or put the key into ${hashKeyFile(database)}`)
  }
  if (existsSync(asideOf(database))) say(`what was there before is ${asideOf(database)}; remove it when all is well`)
}

/** Opens the draft as any database is opened, which brings its tables up to date; tells its key, and what is in it. */
async function describeDraft(
  draft: string,
  keys: readonly Uint8Array[],
): Promise<{ contents: string; hash_key: Uint8Array }> {
  await using store = openSqliteStore(draft)
  await refuseHalfMoved(store)
  const hash_key = await findKey(store, keys)
  return { hash_key, contents: await describeContents(store) }
}

/** The first of the keys that is the database's. Throws where none is. */
async function findKey(store: Store, keys: readonly Uint8Array[]): Promise<Uint8Array> {
  let refusal: unknown
  for (const key of keys) {
    try {
      await confirmHashKey(store, key)
      return key
    } catch (cause) {
      refusal = cause
    }
  }
  throw refusal
}

async function describeContents(store: Store): Promise<string> {
  const accounts = await store.registry.listAccounts()
  const campaigns = await store.registry.listCampaigns()
  return `${count(accounts.length, 'account')}, ${count(campaigns.length, 'campaign')}, ${await describeLast(store)}`
}

async function describeLast({ arrivals }: Store): Promise<string> {
  const times = (await arrivals.listPages()).map(({ last_received_at }) => last_received_at)
  return times.length === 0
    ? 'no webhook yet'
    : `the last webhook came at ${new Date(Math.max(...times)).toISOString()}`
}

/** However the command ends, the draft is gone, unless it was given its name. */
function ownDraft(act: 'back up' | 'restore', from: string, draft: string): Disposable {
  endOnInterrupt('cancelled; nothing was written')
  const owned = beginDraft(act, from, draft)
  const leave = () => owned[Symbol.dispose]()
  process.once('exit', leave)
  return {
    [Symbol.dispose]() {
      process.off('exit', leave)
      leave()
    },
  }
}

async function copyWithProgress(act: 'back up' | 'restore', from: string, draft: string): Promise<void> {
  using progress = new Progress(act === 'restore' ? 'restoring' : 'backing up')
  await copyDatabase(act, from, draft, (pages, total) =>
    progress.update(pages, total, pages === total ? 'checking' : ''),
  )
}

function checkPlace(database: string, replace: boolean): void {
  const act = 'restore to'
  if (!replace) refuseExisting(database, act, 'name another with --database, or move it aside with --replace')
  else refuseExisting(asideOf(database), act, 'it is what was replaced before; move it away')
  refuseOrphanedLog(act, database)
}

/** A database of PostgreSQL's is no file, and has tools of its own. */
function refusePostgres(act: string, database: string, tool: string): void {
  if (!isPostgres(database)) return
  throw new CliError(`cannot ${act} ${describeDatabase(database)}: it is no SQLite file; use PostgreSQL's ${tool}`)
}

function refuseExisting(file: string, act: string, way_out: string): void {
  if (existsSync(file)) throw new CliError(`cannot ${act} ${file}: it is there already; ${way_out}`)
}

/**
 * Gives what is there another name. Whoever is stopped here leaves the one or the other under the old name, and never none: a server
 * that started then would begin anew. A damaged one, whose log nobody can bring in, goes away first, with its log.
 */
function keepAside(database: string): void {
  if (!existsSync(database)) return
  const isWhole = foldLog(database)
  if (existsSync(hashKeyFile(database))) copyFileSync(hashKeyFile(database), hashKeyFile(asideOf(database)))
  if (isWhole) {
    linkSync(database, asideOf(database))
    return
  }
  for (const end of [...BESIDE, '']) {
    if (existsSync(database + end)) renameSync(database + end, asideOf(database) + end)
  }
}

/** The keys beside the backup, and beside the place of the database: either may be another's. */
function readKeysOf(file: string, database: string): Uint8Array[] {
  const known = [file, database].map(hashKeyFile).filter((one) => existsSync(one))
  if (known.length > 0) return known.map(readKeyFile)
  throw new CliError(
    `cannot restore ${file}: its hash key is missing; put its copy at ${hashKeyFile(file)} or ${hashKeyFile(database)}, or set READOUT_HASH_KEY`,
  )
}

/** A key is never made again: one that would be written over, here or where the database is put aside, is left to its owner. */
function checkKeys(database: string, hash_key: Uint8Array): void {
  const [key, aside] = [hashKeyFile(database), hashKeyFile(asideOf(database))]
  const isKept = existsSync(database)
  if (!isKept && existsSync(key) && !isKeyOf(key, hash_key)) {
    throw new CliError(`cannot restore to ${database}: ${key} is the key of another database; move it away`)
  }
  if (!isKept || !existsSync(key) || !existsSync(aside) || readFileSync(key).equals(readFileSync(aside))) return
  throw new CliError(`cannot restore to ${database}: ${aside} is the key of what was replaced before; move it away`)
}

/** A key that is another's goes, since it was put aside; what is set need not be kept. */
function keepKey(file: string, hash_key: Uint8Array, isSet: boolean): void {
  if (existsSync(file) && !isKeyOf(file, hash_key)) rmSync(file)
  if (!isSet) writeHashKey(file, hash_key)
}

function isKeyOf(file: string, hash_key: Uint8Array): boolean {
  try {
    return Buffer.from(hash_key).equals(readKeyFile(file))
  } catch {
    return false
  }
}

function draftOf(file: string): string {
  return `${file}.part`
}

function asideOf(database: string): string {
  return `${database}.replaced`
}
