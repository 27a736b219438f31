import { copyFileSync, existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { openDatabase } from '../../src/store/sqlite/database.ts'
import { openSqliteStore } from '../../src/store/sqlite/store.ts'
import { TemporaryFolder } from '../open.ts'

/**
 * The file that a world's processes share. A process that is killed leaves what it had written at that moment, log and
 * all, and whoever opens the database next finds that: the processes after a kill work on a copy of just that.
 */
export class Disk implements Disposable {
  readonly #folder = new TemporaryFolder()
  #generation = 0
  #file: string

  /** Begins with the copy of a database that holds nothing yet. */
  constructor(empty: string) {
    this.#file = this.#folder.file('0.db')
    copyFileSync(empty, this.#file)
  }

  /** Opens a connection that does not wait for others, since on virtual time nobody would let go meanwhile. */
  open(): DatabaseSync {
    const db = openDatabase(this.#file, 0)
    // Processes die here, and machines do not: what is written is there without a sync, and a sync is most of a commit.
    db.exec('PRAGMA synchronous = OFF')
    return db
  }

  /** Keeps what is written now for those who come after; what is still written to the old file is lost. */
  cut(): void {
    const file = this.#folder.file(`${++this.#generation}.db`)
    copyFileSync(this.#file, file)
    if (existsSync(`${this.#file}-wal`)) copyFileSync(`${this.#file}-wal`, `${file}-wal`)
    this.#file = file
  }

  /** A file beside the database. */
  file(name: string): string {
    return this.#folder.file(name)
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]()
  }
}

/** A database that holds nothing yet, made once for many worlds. */
export async function makeEmptyDatabase(folder: TemporaryFolder): Promise<string> {
  const file = folder.file('empty.db')
  await using _store = openSqliteStore(file)
  return file
}
