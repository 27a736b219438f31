import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { OpenOptions, Store, Tables } from '../store.ts'
import { SqliteArrivals } from './arrivals.ts'
import { findFaults, openDatabase } from './database.ts'
import { SqliteEdges } from './edges.ts'
import { transactionError } from './error.ts'
import { type Log, LogFile, LogSync } from './log-sync.ts'
import { SqlitePruned } from './pruned.ts'
import { SqliteRegistry } from './registry.ts'
import { SqliteReports } from './reports.ts'
import { SqliteRollups } from './rollups.ts'
import { SqliteRows } from './rows.ts'
import { SqliteSetAside } from './set-aside.ts'
import { SqliteThreads } from './threads.ts'
import { SqliteTokens } from './tokens.ts'

/**
 * How long those who ask in one turn of the event loop read in one transaction. Whoever is left then reads in the next turn: what is
 * read is answered before, and webhooks come between.
 */
const TOGETHER_MS_MAX = 10

/** Opens the store in a SQLite file, which is made where it is missing. Throws a DatabaseError. */
export function openSqliteStore(file: string, options: OpenOptions = {}): Store {
  const db = openDatabase(file, options)
  return new SqliteStore(db, new LogFile(db.location() ?? undefined), TOGETHER_MS_MAX)
}

/**
 * The store on a connection that is open already, and the log that its commits are in; disposing the store closes both. How long
 * anything takes changes nothing here, so that what happened can happen again.
 */
export function sqliteStoreOn(db: DatabaseSync, log: Log): Store {
  return new SqliteStore(db, log, Number.POSITIVE_INFINITY)
}

interface Reader {
  /** What settles the reader when the transaction has ended. */
  readonly read: () => Promise<() => void>
  readonly reject: (cause: unknown) => void
}

class SqliteStore implements Store {
  readonly #db: DatabaseSync
  readonly #log: LogSync
  readonly #together_ms_max: number
  readonly #beginWriting: StatementSync
  readonly #beginReading: StatementSync
  readonly #commit: StatementSync
  readonly threads: SqliteThreads
  readonly rollups: SqliteRollups
  readonly pruned: SqlitePruned
  readonly registry: SqliteRegistry
  readonly edges: SqliteEdges
  readonly tokens: SqliteTokens
  readonly setAside: SqliteSetAside
  readonly arrivals: SqliteArrivals
  readonly reports: SqliteReports
  readonly rows: SqliteRows
  /** Those who wait to read. */
  #readers: Reader[] = []
  #isReadingSoon = false
  /** The last transaction: the next one waits for it, since one connection holds one at a time. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(db: DatabaseSync, log: Log, together_ms_max: number) {
    this.#db = db
    this.#log = new LogSync(log)
    this.#together_ms_max = together_ms_max
    this.#beginWriting = db.prepare('BEGIN IMMEDIATE')
    this.#beginReading = db.prepare('BEGIN')
    this.#commit = db.prepare('COMMIT')
    this.threads = new SqliteThreads(db)
    this.rollups = new SqliteRollups(db)
    this.pruned = new SqlitePruned(db)
    this.registry = new SqliteRegistry(db)
    this.edges = new SqliteEdges(db)
    this.tokens = new SqliteTokens(db)
    this.setAside = new SqliteSetAside(db)
    this.arrivals = new SqliteArrivals(db)
    this.reports = new SqliteReports(db)
    this.rows = new SqliteRows(db)
  }

  /** The next transaction begins when this one is committed; who wrote waits for the disk, too. */
  async write<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    const result = await this.#transaction(this.#beginWriting, work)
    await this.#log.synced()
    return result
  }

  /** Who asks in the same turn of the event loop reads in one transaction, begun after the last of them asked, as long as that is short. */
  read<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const read = async () => {
        const result = await work(this)
        return () => resolve(result)
      }
      this.#readers.push({ read, reject })
      this.#readSoon()
    })
  }

  /** One server has the file, and makes each of its reports once. */
  async claimReport(): Promise<AsyncDisposable> {
    return new AsyncDisposableStack()
  }

  async findDamage(): Promise<string[]> {
    return findFaults(this.#db)
  }

  vacuum(): Promise<void> {
    const vacuum = this.#last.then(() => this.#db.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)'))
    this.#last = vacuum.catch(() => undefined)
    return vacuum
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last
    await this.#log[Symbol.asyncDispose]()
    if (this.#db.isOpen) this.#db.close()
  }

  #readSoon(): void {
    if (this.#isReadingSoon || this.#readers.length === 0) return
    this.#isReadingSoon = true
    setImmediate(() => this.#readTogether())
  }

  #readTogether(): void {
    const readers = this.#readers
    this.#readers = []
    this.#isReadingSoon = false
    const reading = this.#transaction(this.#beginReading, async () => {
      const settled: (() => void)[] = []
      const until_ms = performance.now() + this.#together_ms_max
      this.registry.isReading = true
      for (const { read, reject } of readers) {
        settled.push(await read().catch((cause) => () => reject(cause)))
        if (performance.now() > until_ms) break
      }
      this.registry.isReading = false
      return settled
    })
    reading.then(
      (settled) => {
        // All at once, so that their answers go out together: the first wakes who waits for them, the rest find it awake.
        for (const settle of settled) settle()
        // Whoever has waited longest comes first.
        this.#readers.unshift(...readers.slice(settled.length))
        this.#readSoon()
      },
      (cause) => {
        for (const { reject } of readers) reject(cause)
      },
    )
  }

  #transaction<T>(begin: StatementSync, work: (tables: Tables) => Promise<T>): Promise<T> {
    const transaction = this.#last.then(async () => {
      try {
        begin.run()
        const result = await work(this)
        this.#commit.run()
        return result
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
        const act = begin === this.#beginReading ? 'read' : 'write'
        throw transactionError(act, this.#db.location() ?? '', error)
      }
    })
    this.#last = transaction.catch(() => undefined)
    return transaction
  }
}
