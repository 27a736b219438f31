import { type FileHandle, open } from 'node:fs/promises'

/** Where the commits of a database are until they are on the disk. */
export interface Log extends AsyncDisposable {
  /** Resolves when all that was written before the call is on the disk. */
  sync(): Promise<void>
}

/** The write-ahead log that SQLite keeps beside a database. */
export class LogFile implements Log {
  /** `undefined` for a database in memory, which has none. */
  readonly #file: string | undefined
  #handle: Promise<FileHandle> | undefined

  constructor(database: string | undefined) {
    this.#file = database && `${database}-wal`
  }

  async sync(): Promise<void> {
    if (this.#file === undefined) return
    // The log is there while a connection is open, and stays the same file.
    this.#handle ??= open(this.#file, 'r+')
    await (await this.#handle).datasync()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const handle = await this.#handle?.catch(() => undefined)
    await handle?.close()
  }
}

/**
 * Brings the log of a database to the disk. SQLite would do so within each commit, and the writer would sleep
 * meanwhile; here the next transaction goes on, and whoever wrote is told when the disk has it.
 */
export class LogSync implements AsyncDisposable {
  readonly #log: Log
  #last: Promise<void> = Promise.resolve()

  constructor(log: Log) {
    this.#log = log
  }

  /**
   * Resolves when all that was committed before the call is on the disk, in the order of the calls. Once a sync has
   * failed, every later call rejects: the system may have forgotten what it could not write, and sync nothing the next time.
   */
  synced(): Promise<void> {
    const sync = this.#log.sync()
    // Told of by `#last`, which comes later where an earlier sync takes longer.
    sync.catch(() => undefined)
    const inOrder = this.#last.then(() => sync)
    this.#last = inOrder
    this.#last.catch(() => undefined)
    return inOrder
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last.catch(() => undefined)
    await this.#log[Symbol.asyncDispose]()
  }
}
