import { DatabaseSync } from 'node:sqlite'
import { DatabaseError } from './database.ts'

/**
 * Takes a database file for one server; the operating system gives it back when the process ends, however it ends. The
 * lock is on a file beside it, so that commands can read and write while the server runs. Throws a DatabaseError.
 */
export function lockDatabase(file: string): Disposable {
  const lock = new DatabaseSync(`${file}.lock`)
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    const way = 'stop it, or name another database with --database'
    throw new DatabaseError(`cannot serve the database ${file}: another server has it open; ${way}`, { cause })
  }
  return { [Symbol.dispose]: () => lock.close() }
}
