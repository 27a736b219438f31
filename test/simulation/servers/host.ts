import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

export type ToHost = { readonly kind: 'open'; readonly database: string } | { readonly kind: 'close' }

export type FromHost =
  | { readonly kind: 'ready' }
  | { readonly kind: 'opened'; readonly url: string }
  | { readonly kind: 'closed' }
  /** The server has logged an error. */
  | { readonly kind: 'failed'; readonly line: string }

/** What a process tells while a server is open in it. */
export interface HostEvents {
  readonly onFailure: (line: string) => void
  /** The process has ended by itself. */
  readonly onEnd: () => void
}

const SCRIPT = join(import.meta.dirname, 'host-process.ts')

const NOTHING: HostEvents = { onFailure: () => {}, onEnd: () => {} }

/** A process that opens and closes real servers, and keeps what it has loaded from one to the next. */
export class Host {
  readonly #child: ChildProcess
  #events = NOTHING
  #url = Promise.withResolvers<string | undefined>()
  #closed = Promise.withResolvers<void>()
  readonly #ready = Promise.withResolvers<void>()
  readonly #gone: Promise<unknown>
  #isKilled = false

  /** Its clock is the one of this file; what has been compiled is kept in a folder for those who start later. */
  constructor(clock_file: string, compiled: string) {
    const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: compiled }
    this.#child = fork(SCRIPT, [clock_file], { env, stdio: 'inherit' })
    this.#child.on('message', (message: FromHost) => this.#take(message))
    this.#gone = once(this.#child, 'exit').then(() => this.#events.onEnd())
  }

  /** Opens a server, and returns its URL; nothing where the process is killed before. */
  async open(database: string, events: HostEvents): Promise<string | undefined> {
    this.#events = events
    this.#url = Promise.withResolvers()
    await this.#ready.promise
    if (this.#isKilled) return undefined
    this.#tell({ kind: 'open', database })
    return this.#url.promise
  }

  async close(): Promise<void> {
    this.#closed = Promise.withResolvers()
    this.#tell({ kind: 'close' })
    await this.#closed.promise
    this.#events = NOTHING
  }

  /** Stands still for so long: its connections and its locks stay. */
  async pause(ms: number): Promise<void> {
    this.#child.kill('SIGSTOP')
    await wait(ms)
    this.#child.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    this.#events = NOTHING
    this.#isKilled = true
    this.#child.kill('SIGKILL')
    this.#ready.resolve()
    this.#url.resolve(undefined)
    await this.#gone
  }

  #take(message: FromHost): void {
    if (message.kind === 'ready') this.#ready.resolve()
    else if (message.kind === 'opened') this.#url.resolve(message.url)
    else if (message.kind === 'closed') this.#closed.resolve()
    else this.#events.onFailure(message.line)
  }

  #tell(message: ToHost): void {
    this.#child.send(message)
  }
}
