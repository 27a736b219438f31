import { copyFileSync, statSync, truncateSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { openDatabase } from '../../../src/store/sqlite/database.ts'
import type { Log } from '../../../src/store/sqlite/log-sync.ts'
import { openSqliteStore } from '../../../src/store/sqlite/store.ts'
import { TemporaryFolder } from '../../temporary-folder.ts'

/**
 * What a world's processes share: a database, and the log in which all of it is that was ever committed. A process that is
 * killed leaves what it had written, and a power cut what was synced. Whoever comes after finds that in a file of its own.
 */
export class Disk implements Disposable {
  readonly #folder = new TemporaryFolder()
  #generation = 0
  #file: string
  /** Open as long as the file is in use, so that the log stays, and only grows. */
  #keeper: DatabaseSync
  /** Where commits end in the log that may be lost in a power cut. */
  #unsynced: number[] = []
  #synced_bytes: number

  /** Begins with the copy of a database that holds nothing yet. */
  constructor(empty: string) {
    this.#file = this.#folder.file('0.db')
    copyFileSync(empty, this.#file)
    this.#keeper = this.open()
    this.#synced_bytes = this.log_bytes
  }

  /**
   * Opens a connection that does not wait for others, since on virtual time nobody would let go meanwhile. The database can
   * grow by so many pages on it, or as it likes.
   */
  open(pages?: number): DatabaseSync {
    const db = openDatabase(this.#file, { busy_ms_max: 0 })
    limitPages(db, pages)
    // What is synced is for `sync` to say, and where commits end in the log can be told as long as it only grows.
    db.exec('PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0')
    return db
  }

  /** How far the log goes. */
  get log_bytes(): number {
    return statSync(`${this.#file}-wal`, { throwIfNoEntry: false })?.size ?? 0
  }

  noteCommit(): void {
    this.#unsynced.push(this.log_bytes)
  }

  /** Begins a sync, and returns what ends it: what is written in between may be lost all the same. */
  beginSync(): () => void {
    const bytes = this.log_bytes
    const generation = this.#generation
    return () => {
      if (generation !== this.#generation) return
      this.#synced_bytes = Math.max(this.#synced_bytes, bytes)
      this.#unsynced = this.#unsynced.filter((end) => end > this.#synced_bytes)
    }
  }

  /** The log of those who never wait for it. */
  log(): Log {
    return { sync: async () => this.beginSync()(), [Symbol.asyncDispose]: async () => {} }
  }

  /** A process is killed: what is written stays, and what others still write to the old file is lost. */
  keepWritten(): void {
    this.#keep(this.log_bytes)
  }

  /** The power is cut: what is synced stays, and of what is not, a share of 0 to 1. Returns how far the log goes then. */
  keepSynced(share: number): number {
    const ends = [this.#synced_bytes, ...this.#unsynced]
    const bytes = ends[Math.floor(share * ends.length)] ?? this.#synced_bytes
    this.#keep(bytes)
    this.#synced_bytes = bytes
    this.#unsynced = []
    return bytes
  }

  /** A file beside the database. */
  file(name: string): string {
    return this.#folder.file(name)
  }

  [Symbol.dispose](): void {
    this.#keeper.close()
    this.#folder[Symbol.dispose]()
  }

  #keep(log_bytes: number): void {
    const file = this.#folder.file(`${++this.#generation}.db`)
    copyFileSync(this.#file, file)
    copyFileSync(`${this.#file}-wal`, `${file}-wal`)
    truncateSync(`${file}-wal`, log_bytes)
    this.#keeper.close()
    this.#file = file
    this.#keeper = this.open()
  }
}

/** More than any history fills. */
const PAGES_MAX = 2 ** 30

/** Lets a database grow by so many pages, or as it likes. */
export function limitPages(db: DatabaseSync, pages: number | undefined): void {
  const { page_count } = db.prepare('PRAGMA page_count').get() as { page_count: number }
  db.exec(`PRAGMA max_page_count = ${pages === undefined ? PAGES_MAX : page_count + pages}`)
}

/** A database that holds nothing yet, made once for many worlds. */
export async function makeEmptyDatabase(folder: TemporaryFolder): Promise<string> {
  const file = folder.file('empty.db')
  await using _store = openSqliteStore(file)
  return file
}
