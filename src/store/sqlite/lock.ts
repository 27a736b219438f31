import { DatabaseSync } from 'node:sqlite'
import { DatabaseError } from '../store.ts'
import { databaseError, isBusy } from './error.ts'

/**
 * Takes a database file for one server, or for what no server may be there for; the operating system gives it back when
 * the process ends, however it ends. The lock is on a file beside it, so that commands can read and write while the server
 * runs. Throws a DatabaseError.
 */
export function lockDatabase(file: string, purpose: 'serve' | 'vacuum' | 'restore' | 'move'): Disposable {
  const parts = new DisposableStack()
  try {
    const lock = parts.adopt(new DatabaseSync(`${file}.lock`), (db) => db.close())
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return parts.move()
  } catch (cause) {
    parts.dispose()
    if (!isBusy(cause)) throw databaseError(purpose, file, cause)
    const way_out = 'stop it, or name another database'
    throw new DatabaseError(`cannot ${purpose} the database ${file}: another server has it open; ${way_out}`, { cause })
  }
}
