import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DatabaseError, type OpenOptions } from '../store.ts'
import { anotherFor, databaseError, isDamage } from './error.ts'
import { isServed } from './lock.ts'
import { realFileOf } from './real-file.ts'

/** How long a statement waits for another process's transaction before it fails. */
export const BUSY_MS_MAX = 10_000

/** For each connection; what does not fit is in the operating system's cache. */
const CACHE_KIB = 24 * 1024

/**
 * Pages of the log that are brought into the file together: those that come many times before count once. Twice as many take bulk
 * some tenth faster, and keep single webhooks waiting some ten milliseconds longer while it is done.
 */
const CHECKPOINT_PAGES = 16_000

/** Says in the file that it is Readout's: "Read" in ASCII. */
const APPLICATION_ID = 0x52656164

const MIGRATIONS = join(import.meta.dirname, 'migrations')

/** Opens a database file, which is made, with its folder, where it is missing, and brings its tables up to date. */
export function openDatabase(
  file: string,
  { busy_ms_max = BUSY_MS_MAX, is_migrated = false, is_locked = false }: OpenOptions = {},
): DatabaseSync {
  const parts = new DisposableStack()
  try {
    refuseOrphanedLog('open', file)
    mkdirSync(dirname(file), { recursive: true })
    const db = parts.adopt(new DatabaseSync(file, { timeout: busy_ms_max }), (opened) => opened.close())
    refuseForeign(db, 'open', file)
    // WAL lets readers go on while the writer commits. NORMAL syncs the log before it is brought into the file, and LogSync
    // after each commit. What is deleted is overwritten, since it may have been personal.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON')
    checkLog(db, file)
    db.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    if (!is_migrated) migrate(db, file, is_locked)
    parts.move()
    return db
  } catch (cause) {
    parts.dispose()
    throw databaseError('open', file, cause)
  }
}

/**
 * Throws a DatabaseError where the log of a database is and the database is not: SQLite would begin a new one, and delete the log, which
 * may hold facts that were answered 200.
 */
export function refuseOrphanedLog(act: string, file: string): void {
  if (file === ':memory:' || existsSync(file)) return
  const log = `${realFileOf(file)}-wal`
  const bytes = statSync(log, { throwIfNoEntry: false })?.size ?? 0
  // Looked for again: another program may have begun it meanwhile, and its log.
  if (bytes === 0 || existsSync(file)) return
  throw new DatabaseError(
    `cannot ${act} the database ${file}: it is gone, and its log ${log} is there, which may hold facts; ` +
      'put the file back beside it, or move the log away',
  )
}

/** Faults of a damaged file that are told; one is enough to know. */
const FAULTS_MAX = 20

/** Reads the whole file, and tells what is wrong with it in SQLite's words; nothing while it is well. */
export function findFaults(db: DatabaseSync): string[] {
  try {
    const rows = db.prepare(`PRAGMA integrity_check(${FAULTS_MAX})`).all()
    const lines = rows.flatMap((row) => String(row.integrity_check).split('\n'))
    return lines.filter((line) => line !== 'ok' && !line.startsWith('***'))
  } catch (cause) {
    // Some damage ends the check itself.
    if (isDamage(cause)) return [(cause as Error).message]
    throw cause
  }
}

/** Without a log of its own a commit is synced in another way, and LogSync would sync nothing. */
function checkLog(db: DatabaseSync, file: string): void {
  const mode = String(db.prepare('PRAGMA journal_mode').get()?.journal_mode)
  if (mode === 'wal' || db.location() === null) return
  throw new DatabaseError(
    `cannot open the database ${file}: its file system has no write-ahead log (journal_mode is ${mode}); put it on a local disk`,
  )
}

/** Throws a DatabaseError unless the file is a database of this Readout's, or of an older one. */
export function refuseStrange(db: DatabaseSync, act: string, file: string): void {
  refuseForeign(db, act, file)
  if (versionOf(db) === 0)
    throw new DatabaseError(`cannot ${act} the database ${file}: it is empty; ${anotherFor(act)}`)
  refuseNewer(db, act, file)
}

/** Runs the migrations that the file has not seen yet, in one transaction. */
function migrate(db: DatabaseSync, file: string, is_locked: boolean): void {
  const migrations = listMigrations()
  if (versionOf(db) === migrations.length) return
  db.exec('BEGIN IMMEDIATE')
  try {
    refuseNewer(db, 'open', file)
    if (versionOf(db) > 0 && !is_locked) refuseServed(file)
    for (const migration of migrations.slice(versionOf(db))) {
      db.exec(readFileSync(join(MIGRATIONS, migration), 'utf8'))
    }
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length}`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** A server of an older version would not find its tables as it knows them. */
function refuseServed(file: string): void {
  if (!isServed(file)) return
  throw new DatabaseError(
    `cannot open the database ${file}: a server of an older version has it open; stop that, and start one of this version`,
  )
}

/** Throws a DatabaseError for a file that is another program's; whatever else is wrong with it is told when it is opened. */
export function refuseForeignFile(file: string): void {
  if (!existsSync(file)) return
  try {
    using db = new DatabaseSync(file, { readOnly: true })
    refuseForeign(db, 'open', file)
  } catch (cause) {
    if (cause instanceof DatabaseError) throw cause
  }
}

/** A file of SQLite's that has tables, and not ours, is left as it is. */
function refuseForeign(db: DatabaseSync, act: string, file: string): void {
  const application_id = Number(db.prepare('PRAGMA application_id').get()?.application_id)
  const tables = Number(db.prepare('SELECT COUNT(*) AS tables FROM sqlite_schema').get()?.tables)
  if (application_id === APPLICATION_ID || tables === 0) return
  throw new DatabaseError(`cannot ${act} the database ${file}: it is another program's; ${anotherFor(act)}`)
}

function refuseNewer(db: DatabaseSync, act: string, file: string): void {
  const [version, known] = [versionOf(db), listMigrations().length]
  if (version <= known) return
  throw new DatabaseError(
    `cannot ${act} the database ${file}: it is of version ${version}, this Readout knows up to ${known}; ` +
      'install a newer Readout',
  )
}

function listMigrations(): string[] {
  return readdirSync(MIGRATIONS).sort()
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version)
}
