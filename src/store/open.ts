import { setTimeout } from 'node:timers/promises'
import { describePostgres } from './postgres/error.ts'
import { openPostgresStore } from './postgres/store.ts'
import { refuseForeignFile } from './sqlite/database.ts'
import { lockDatabase } from './sqlite/lock.ts'
import { openSqliteStore } from './sqlite/store.ts'
import { type OpenOptions, type Store, StoreUnavailableError } from './store.ts'

/** A command may move all that an account has in one statement. Behind a server's statements webhooks and callers wait. */
export const COMMAND_STATEMENT_MS_MAX = 3_600_000

/** Whether a database is named by a URL of PostgreSQL's; any other is a SQLite file. */
export function isPostgres(database: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(database)
}

/**
 * Opens the store in a PostgreSQL database, or in a SQLite file, which is made where it is missing. Throws a DatabaseError, or
 * a StoreUnavailableError for a database that is away.
 */
export async function openStore(database: string, options: OpenOptions = {}): Promise<Store> {
  return isPostgres(database) ? openPostgresStore(database, options) : openSqliteStore(database, options)
}

/** How often one looks whether a database that is away has come back. */
const AWAY_MS = 1000

/**
 * Opens what needs a database as soon as that is there, and says each time why it is not. A file is not waited for: what is wrong
 * with it has to be put right on this machine.
 */
export async function whenThere<T>(
  database: string,
  open: () => Promise<T>,
  onAway: (reason: string) => void = () => {},
): Promise<T> {
  for (;;) {
    try {
      return await open()
    } catch (error) {
      if (!(isPostgres(database) && error instanceof StoreUnavailableError)) throw error
      onAway(error.message)
      await setTimeout(AWAY_MS)
    }
  }
}

/**
 * Takes a SQLite file for one server, or for what no server may be there for; a PostgreSQL database is any number of servers'.
 * Throws a DatabaseError.
 */
export function lockStore(database: string, purpose: 'serve' | 'vacuum' | 'move'): Disposable {
  if (isPostgres(database)) return new DisposableStack()
  // Beside a file that is not ours, nothing is left.
  refuseForeignFile(database)
  return lockDatabase(database, purpose)
}

/** A database as it may be shown: a file, or a URL without its password. */
export function describeDatabase(database: string): string {
  return isPostgres(database) ? describePostgres(database) : database
}
