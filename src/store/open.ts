import { setTimeout } from 'node:timers/promises'
import { describePostgres } from './postgres/error.ts'
import { openPostgresStore } from './postgres/store.ts'
import { lockDatabase } from './sqlite/lock.ts'
import { openSqliteStore } from './sqlite/store.ts'
import { type Store, StoreUnavailableError } from './store.ts'

/** How a store is opened. */
export interface OpenOptions {
  /** How long a transaction waits for those of others before it gives up. */
  readonly busy_ms_max?: number
}

/** Whether a database is named by a URL of PostgreSQL's; any other is a SQLite file. */
export function isPostgres(database: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(database)
}

/**
 * Opens the store in a PostgreSQL database, or in a SQLite file, which is made where it is missing. Throws a DatabaseError, or
 * a StoreUnavailableError for a database that is away.
 */
export async function openStore(database: string, { busy_ms_max }: OpenOptions = {}): Promise<Store> {
  return isPostgres(database) ? openPostgresStore(database, busy_ms_max) : openSqliteStore(database, busy_ms_max)
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
  return isPostgres(database) ? new DisposableStack() : lockDatabase(database, purpose)
}

/** A database as it may be shown: a file, or a URL without its password. */
export function describeDatabase(database: string): string {
  return isPostgres(database) ? describePostgres(database) : database
}
