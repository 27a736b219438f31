import type { Arrivals } from './arrivals.ts'
import type { Edges } from './edges.ts'
import type { Pruned } from './pruned.ts'
import type { Registry } from './registry.ts'
import type { Reports } from './reports.ts'
import type { Rollups } from './rollups.ts'
import type { Rows } from './rows.ts'
import type { SetAside } from './set-aside.ts'
import type { Threads } from './threads.ts'
import type { Tokens } from './tokens.ts'

/** The tables of a store, by noun. The rules of what to write stand beside this file; a drawer reads and writes. */
export interface Tables {
  readonly threads: Threads
  readonly rollups: Rollups
  readonly pruned: Pruned
  readonly registry: Registry
  readonly edges: Edges
  readonly tokens: Tokens
  readonly setAside: SetAside
  readonly arrivals: Arrivals
  readonly reports: Reports
  readonly rows: Rows
}

/** Thrown where a database cannot be used; the message names it, what is wrong with it and the way out. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
}

/**
 * Thrown where a transaction could not be done now, and nothing of it is stored: another program writes, or the disk is
 * full or fails. It may be done later.
 */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
}

/**
 * Whether a writing transaction has the database to itself, or shares it with those of other servers, where the engine lets
 * them write at once. One that shares it reads the registry as nobody changes it meanwhile, but for ads that register
 * themselves; it holds the ads whose threads it reads (`Threads.hold`); and it writes to the tables in the order in which
 * `append` does, and to the rows of one in the order of their keys, so that no two of them wait for each other.
 */
export type Company = 'alone' | 'shared'

/** How a store is opened. */
export interface OpenOptions {
  /** How long a transaction waits for those of others before it gives up. */
  readonly busy_ms_max?: number
  /** How long PostgreSQL may take for a statement; a statement of SQLite's cannot be stopped, and takes what it needs. */
  readonly statement_ms_max?: number
  /**
   * Whether the tables are known to be up to date, and are left as they are. PostgreSQL is asked for nothing then before it is used: a thread of a server
   * whose database is away meanwhile opens all the same, and says so of what it cannot do.
   */
  readonly is_migrated?: boolean
  /** Whether whoever opens it has taken a SQLite file with `lockStore`; else its tables are left as a running server knows them. */
  readonly is_locked?: boolean
}

/** The ledger, the rollups and the registry in one database. Outside a transaction it is for reading. */
export interface Store extends Tables, AsyncDisposable {
  /**
   * One writing transaction, alone unless it says that it may be shared: all of it is committed and synced, or nothing.
   * Transactions of one store wait for each other. Rejects with a StoreUnavailableError when it cannot be done now.
   */
  write<T>(work: (tables: Tables) => Promise<T>, company?: Company): Promise<T>
  /** One reading transaction: what others commit meanwhile is not seen. */
  read<T>(work: (tables: Tables) => Promise<T>): Promise<T>
  /**
   * Makes a report this store's until it is disposed of, or the process ends; `undefined` while another server makes it.
   */
  claimReport(run: number): Promise<AsyncDisposable | undefined>
  /** What the engine finds wrong with its own files, in its own words; nothing while they are well. */
  findDamage(): Promise<string[]>
  /** Gives the space of what was removed back to the disk. Writes everything anew, and whoever else writes waits. */
  vacuum(): Promise<void>
}
