import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** How long a statement waits for another process's transaction before it fails. */
export const BUSY_MS_MAX = 10_000

/** For each connection; what does not fit is in the operating system's cache. */
const CACHE_KIB = 24 * 1024

/** Pages of the log that are brought into the file together: hot pages come many times before, and count once. */
const CHECKPOINT_PAGES = 8000
/** Says in the file that it is Readout's: "Read" in ASCII. */
const APPLICATION_ID = 0x52656164

const MIGRATIONS = join(import.meta.dirname, 'migrations')

/** Thrown where a database cannot be opened; the message names the file, what is wrong with it and the way out. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
}

/** Opens a database file, which is made, with its folder, where it is missing, and brings its tables up to date. */
export function openDatabase(file: string, busy_ms_max: number): DatabaseSync {
  const db = openFile(file, busy_ms_max)
  try {
    // WAL lets readers go on while the writer commits. NORMAL syncs the log before it is brought into the file, and LogSync
    // after each commit. What is deleted is overwritten, since it may have been personal.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON')
    checkLog(db, file)
    db.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    migrate(db, file)
  } catch (cause) {
    db.close()
    if (cause instanceof DatabaseError) throw cause
    throw new DatabaseError(`cannot open the database ${file}: ${reasonOf(cause)}; name another with --database`, {
      cause,
    })
  }
  return db
}

function openFile(file: string, busy_ms_max: number): DatabaseSync {
  try {
    mkdirSync(dirname(file), { recursive: true })
    return new DatabaseSync(file, { timeout: busy_ms_max })
  } catch (cause) {
    throw new DatabaseError(`cannot open the database ${file}: ${reasonOf(cause)}; name another with --database`, {
      cause,
    })
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

/** Runs the migrations that the file has not seen yet, in one transaction. */
function migrate(db: DatabaseSync, file: string): void {
  const migrations = readdirSync(MIGRATIONS).sort()
  refuseForeign(db, file)
  if (versionOf(db) === migrations.length) return
  db.exec('BEGIN IMMEDIATE')
  try {
    const version = versionOf(db)
    if (version > migrations.length) {
      throw new DatabaseError(
        `cannot open the database ${file}: it is of version ${version}, this Readout knows up to ` +
          `${migrations.length}; install a newer Readout`,
      )
    }
    for (const migration of migrations.slice(version)) db.exec(readFileSync(join(MIGRATIONS, migration), 'utf8'))
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length}`)
    db.exec('COMMIT')
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

/** A file of SQLite's that has tables, and not ours, is left as it is. */
function refuseForeign(db: DatabaseSync, file: string): void {
  const application_id = Number(db.prepare('PRAGMA application_id').get()?.application_id)
  const tables = Number(db.prepare('SELECT COUNT(*) AS tables FROM sqlite_schema').get()?.tables)
  if (application_id === APPLICATION_ID || tables === 0) return
  throw new DatabaseError(`cannot open the database ${file}: it is another program's; name another with --database`)
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version)
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
