import { setImmediate as turn } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'
import { type Company, type OpenOptions, type Store, StoreUnavailableError, type Tables } from '../store.ts'
import { PostgresArrivals } from './arrivals.ts'
import { endPool, LOCKS, migrate, openPool, SLOW_MS_MAX } from './database.ts'
import { PostgresEdges } from './edges.ts'
import { isOfStatement, isUnreachable, statementError } from './error.ts'
import { PostgresPruned } from './pruned.ts'
import { PostgresRegistry, READ_VERSION } from './registry.ts'
import { PostgresReports } from './reports.ts'
import { PostgresRollups } from './rollups.ts'
import { PostgresRows } from './rows.ts'
import { Session } from './session.ts'
import { PostgresSetAside } from './set-aside.ts'
import { PostgresThreads } from './threads.ts'
import { PostgresTokens } from './tokens.ts'

/**
 * What begins a transaction; each ends with READ_VERSION, so that the registry's version comes with it. One that waits for a lock
 * is to see what whoever held it has done, whatever isolation the database has for its default.
 */
const BEGIN = {
  alone: `BEGIN ISOLATION LEVEL READ COMMITTED; ${lockRegistry('pg_advisory_xact_lock')}; ${READ_VERSION}`,
  shared: `BEGIN ISOLATION LEVEL READ COMMITTED; ${lockRegistry('pg_advisory_xact_lock_shared')}; ${READ_VERSION}`,
  reading: `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${READ_VERSION}`,
} as const

const CLAIM_REPORT = `
  SELECT pg_try_advisory_lock(hashtextextended('readout report ' || $1 || ' of ' || current_schema(), 0)) AS is_ours`

/** Blocks whose checksum was wrong when they were read; NULL where the cluster has no checksums. */
const READ_DAMAGE = 'SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()'

const LIST_TABLES = `
  SELECT quote_ident(relname) AS name FROM pg_class
  WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' ORDER BY relname`

/** Opens the store in a schema of a PostgreSQL database, whose tables are brought up to date. Throws a DatabaseError. */
export async function openPostgresStore(url: string, options: OpenOptions = {}): Promise<Store> {
  const pool = openPool(url, options)
  try {
    if (!options.is_migrated) await migrate(pool, url)
    return new PostgresStore(pool, url)
  } catch (error) {
    await endPool(pool)
    throw error
  }
}

interface Reader {
  /** What settles the reader when the transaction has ended. */
  readonly read: (tables: Tables) => Promise<() => void>
  readonly reject: (cause: unknown) => void
}

class PostgresTables implements Tables {
  readonly threads: PostgresThreads
  readonly rollups: PostgresRollups
  readonly pruned: PostgresPruned
  readonly registry: PostgresRegistry
  readonly edges: PostgresEdges
  readonly tokens: PostgresTokens
  readonly setAside: PostgresSetAside
  readonly arrivals: PostgresArrivals
  readonly reports: PostgresReports
  readonly rows: PostgresRows

  constructor(session: Session) {
    this.threads = new PostgresThreads(session)
    this.rollups = new PostgresRollups(session)
    this.pruned = new PostgresPruned(session)
    this.registry = new PostgresRegistry(session)
    this.edges = new PostgresEdges(session)
    this.tokens = new PostgresTokens(session)
    this.setAside = new PostgresSetAside(session)
    this.arrivals = new PostgresArrivals(session)
    this.reports = new PostgresReports(session)
    this.rows = new PostgresRows(session)
  }
}

class PostgresStore extends PostgresTables implements Store {
  readonly #pool: Pool
  readonly #url: string
  /** Those who wait to read. */
  #readers: Reader[] = []
  /** The last transactions of either kind: the next one waits for it. Readers and writers do not wait for each other. */
  #lastRead: Promise<unknown> = Promise.resolve()
  #lastWrite: Promise<unknown> = Promise.resolve()

  constructor(pool: Pool, url: string) {
    super(new Session(pool, url))
    this.#pool = pool
    this.#url = url
  }

  write<T>(work: (tables: Tables) => Promise<T>, company: Company = 'alone'): Promise<T> {
    const transaction = this.#lastWrite.then(() => this.#transaction(BEGIN[company], work))
    this.#lastWrite = transaction.catch(() => undefined)
    return transaction
  }

  /** Whoever asks while others read is in the next transaction, begun after the last of them asked. */
  read<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const read = async (tables: Tables) => {
        const result = await work(tables)
        return () => resolve(result)
      }
      this.#readers.push({ read, reject })
      if (this.#readers.length === 1)
        this.#lastRead = this.#lastRead.then(() => turn()).then(() => this.#readTogether())
    })
  }

  async claimReport(run: number): Promise<AsyncDisposable | undefined> {
    const client = await this.#connect()
    const release = async () => client.release(true)
    try {
      const claimed = await new Session(client, this.#url).row(CLAIM_REPORT, run)
      if (claimed?.is_ours === true) return { [Symbol.asyncDispose]: release }
    } catch (error) {
      await release()
      throw error
    }
    await release()
    return undefined
  }

  async findDamage(): Promise<string[]> {
    const [row] = await new Session(this.#pool, this.#url).rows(READ_DAMAGE)
    const failures = Number(row?.checksum_failures)
    return failures > 0 ? [`${failures} blocks had a wrong checksum when they were read; see the server's log`] : []
  }

  async vacuum(): Promise<void> {
    const client = await this.#connect()
    try {
      const session = new Session(client, this.#url, SLOW_MS_MAX)
      await session.script('SET statement_timeout = 0')
      for (const { name } of await session.rows(LIST_TABLES)) await session.script(`VACUUM (FULL, ANALYZE) ${name}`)
    } finally {
      client.release(true)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lastRead
    await this.#lastWrite
    if (!this.#pool.ended) await endPool(this.#pool)
  }

  /** Where a statement of one of them fails, the transaction has failed for all: then each reads by itself. */
  async #readTogether(): Promise<void> {
    const readers = this.#readers
    this.#readers = []
    if (await this.#readInOne(readers)) return
    for (const reader of readers) await this.#readInOne([reader])
  }

  /** Their statements go out together; all are answered when the last one is. False where nobody was, and each may be alone. */
  async #readInOne(readers: readonly Reader[]): Promise<boolean> {
    let failure: unknown
    const readAll = (tables: Tables) =>
      Promise.all(
        readers.map(({ read, reject }) =>
          read(tables).catch((cause) => {
            if (isUnreachable(cause)) throw cause
            if (isOfStatement(cause)) failure ??= cause
            return () => reject(cause)
          }),
        ),
      )
    try {
      for (const settle of await this.#transaction(BEGIN.reading, readAll)) settle()
    } catch (cause) {
      if (readers.length > 1 && !isUnreachable(cause)) return false
      for (const { reject } of readers) reject(failure ?? cause)
    }
    return true
  }

  async #transaction<T>(begin: string, work: (tables: Tables) => Promise<T>): Promise<T> {
    const client = await this.#connect()
    const session = new Session(client, this.#url)
    let isWell = false
    try {
      const [row] = await session.script(begin)
      session.registry_version = Number(row?.value)
      const result = await work(new PostgresTables(session))
      await session.commit()
      isWell = true
      return result
    } catch (error) {
      // A connection that does not answer would keep us waiting once more; closing it ends the transaction too.
      if (!(error instanceof StoreUnavailableError)) isWell = await isRolledBack(session)
      throw error
    } finally {
      client.release(!isWell)
    }
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect()
    } catch (cause) {
      throw statementError(this.#url, cause)
    }
  }
}

async function isRolledBack(session: Session): Promise<boolean> {
  return session.script('ROLLBACK').then(
    () => true,
    () => false,
  )
}

function lockRegistry(lock: string): string {
  return `SELECT ${lock}(${LOCKS.registry}, hashtext(current_schema()))`
}
