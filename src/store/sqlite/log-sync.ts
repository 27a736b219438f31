import { closeSync, fdatasyncSync, openSync } from 'node:fs'

/** Where the commits of a database are until they are on the disk. */
export interface Log extends AsyncDisposable {
  /** Resolves when all that was written before the call is on the disk. */
  sync(): Promise<void>
}

/**
 * The write-ahead log that SQLite keeps beside a database. The thread waits for the disk: going on meanwhile, and being woken,
 * was measured to cost single webhooks more than it saves (decision 0014).
 */
export class LogFile implements Log {
  /** `undefined` for a database in memory, which has none. */
  readonly #file: string | undefined
  #fd: number | undefined

  constructor(database: string | undefined) {
    this.#file = database && `${database}-wal`
  }

  async sync(): Promise<void> {
    if (this.#file === undefined) return
    // The log is there while a connection is open, and stays the same file.
    this.#fd ??= openSync(this.#file, 'r+')
    fdatasyncSync(this.#fd)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#fd !== undefined) closeSync(this.#fd)
  }
}

/**
 * Brings the log of a database to the disk after a commit. SQLite could do so within it; here it is a step of its own, which
 * the simulation can stop before, and whoever wrote is told when the disk has it.
 */
export class LogSync implements AsyncDisposable {
  readonly #log: Log
  #last: Promise<void> = Promise.resolve()
  #failure: { readonly cause: unknown } | undefined

  constructor(log: Log) {
    this.#log = log
  }

  /**
   * Resolves when all that was committed before the call is on the disk, in the order of the calls. Once a sync has failed, every
   * call rejects that has not resolved yet: the system tells one of those who wait, and may have forgotten what it could not write.
   */
  synced(): Promise<void> {
    const sync = this.#log.sync()
    sync.catch((cause) => {
      this.#failure ??= { cause }
    })
    const inOrder = this.#last
      .then(() => sync)
      .then(() => {
        if (this.#failure !== undefined) throw this.#failure.cause
      })
    this.#last = inOrder
    this.#last.catch(() => undefined)
    return inOrder
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last.catch(() => undefined)
    await this.#log[Symbol.asyncDispose]()
  }
}
