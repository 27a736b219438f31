import { describePostgres } from './postgres/error.ts'
import { openPostgresStore } from './postgres/store.ts'
import { lockDatabase } from './sqlite/lock.ts'
import { openSqliteStore } from './sqlite/store.ts'
import type { Store } from './store.ts'

/** How a store is opened. */
export interface OpenOptions {
  /** How long a transaction waits for those of others before it gives up. */
  readonly busy_ms_max?: number
}

/** Whether a database is named by a URL of PostgreSQL's; any other is a SQLite file. */
export function isPostgres(database: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(database)
}

/** Opens the store in a PostgreSQL database, or in a SQLite file, which is made where it is missing. Throws a DatabaseError. */
export async function openStore(database: string, { busy_ms_max }: OpenOptions = {}): Promise<Store> {
  return isPostgres(database) ? openPostgresStore(database, busy_ms_max) : openSqliteStore(database, busy_ms_max)
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
