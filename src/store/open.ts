import { openSqliteStore } from './sqlite/store.ts'
import type { Store } from './store.ts'

/** How a store is opened. */
export interface OpenOptions {
  /** How long a transaction waits for those of others before it gives up. */
  readonly busy_ms_max?: number
}

/** Opens the store in a SQLite file, which is made where it is missing. Throws a DatabaseError. */
export async function openStore(database: string, { busy_ms_max }: OpenOptions = {}): Promise<Store> {
  return openSqliteStore(database, busy_ms_max)
}
