import type { DatabaseSync } from 'node:sqlite'
import type { Store, Tables } from '../store.ts'
import { SqliteArrivals } from './arrivals.ts'
import { openDatabase } from './database.ts'
import { SqliteRegistry } from './registry.ts'
import { SqliteRollups } from './rollups.ts'
import { SqliteSetAside } from './set-aside.ts'
import { SqliteThreads } from './threads.ts'
import { SqliteTokens } from './tokens.ts'

/** Opens the store in a SQLite file, which is made where it is missing. Throws a DatabaseError. */
export function openSqliteStore(file: string): Store {
  return new SqliteStore(openDatabase(file))
}

class SqliteStore implements Store {
  readonly #db: DatabaseSync
  readonly threads: SqliteThreads
  readonly rollups: SqliteRollups
  readonly registry: SqliteRegistry
  readonly tokens: SqliteTokens
  readonly setAside: SqliteSetAside
  readonly arrivals: SqliteArrivals
  /** The last transaction: the next one waits for it, since one connection holds one at a time. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(db: DatabaseSync) {
    this.#db = db
    this.threads = new SqliteThreads(db)
    this.rollups = new SqliteRollups(db)
    this.registry = new SqliteRegistry(db)
    this.tokens = new SqliteTokens(db)
    this.setAside = new SqliteSetAside(db)
    this.arrivals = new SqliteArrivals(db)
  }

  write<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    return this.#transaction('BEGIN IMMEDIATE', work)
  }

  read<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    return this.#transaction('BEGIN', work)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last
    if (this.#db.isOpen) this.#db.close()
  }

  #transaction<T>(begin: string, work: (tables: Tables) => Promise<T>): Promise<T> {
    const transaction = this.#last.then(async () => {
      this.#db.exec(begin)
      try {
        const result = await work(this)
        this.#db.exec('COMMIT')
        return result
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
        throw error
      }
    })
    this.#last = transaction.catch(() => undefined)
    return transaction
  }
}
