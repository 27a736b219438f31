import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DatabaseError } from '../store.ts'
import { databaseError, isBusy, isNowhere, unwritable } from './error.ts'
import { realFileOf } from './real-file.ts'

/** What a database file is taken for. */
type Purpose = 'serve' | 'vacuum' | 'restore' | 'move' | 'back up to'

/** How long one waits for whoever only looks whether the file is taken. */
const LOOK_MS_MAX = 200

/**
 * Takes a database file for one server, or for what no server may be there for; the operating system gives it back when
 * the process ends, however it ends. The lock is on a file beside it, so that commands can read and write while the server
 * runs. Throws a DatabaseError.
 */
export function lockDatabase(file: string, purpose: Purpose, timeout: number = LOOK_MS_MAX): Disposable {
  const parts = new DisposableStack()
  try {
    mkdirSync(dirname(file), { recursive: true })
    const lock = parts.adopt(new DatabaseSync(lockOf(file), { timeout }), (db) => db.close())
    // Not in SQLite's exclusive mode, in which two who come at once hold each other up until both give up.
    lock.exec('BEGIN EXCLUSIVE')
    return parts.move()
  } catch (cause) {
    parts.dispose()
    if (isNowhere(cause)) throw unwritable(purpose, file, cause)
    if (!isBusy(cause)) throw databaseError(purpose, file, cause)
    const way_out = 'stop it, or name another database'
    throw new DatabaseError(
      `cannot ${purpose} the database ${file}: another Readout has it open, a server or a command; ${way_out}`,
      { cause },
    )
  }
}

/** Whether a server has the file now, or cannot be told to have it not: its lock may be another user's. */
export function isServed(file: string): boolean {
  if (!existsSync(lockOf(file))) return false
  try {
    lockDatabase(file, 'serve', 0)[Symbol.dispose]()
    return false
  } catch {
    return true
  }
}

/** A file that has two names is one file, and has one lock. */
export function lockOf(file: string): string {
  return `${realFileOf(file)}.lock`
}
