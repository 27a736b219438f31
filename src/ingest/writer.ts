import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { type Group, type ParsedGroup, piecesOf, type Unreadable } from './group.ts'
import type { IntakeCounts } from './intake.ts'
import type { PackedFacts } from './packed-facts.ts'

/** How long the first body of a group waits for company, unless the writer asks for more before. */
export const GROUP_MS = 1

/**
 * Bytes of bodies that are committed together: some twenty thousand facts. More of them take less by the fact, and have whoever
 * comes between two groups wait longer.
 */
export const GROUP_BYTES_MAX = 8 * 1_048_576

/** Groups handed over that are not committed yet: the one that is being committed, one parsed, and a full one at the door. */
export const GROUPS_IN_FLIGHT_MAX = 3

/** Bytes of bodies that wait to be committed; past it the writer is behind, and senders are asked to come again. */
export const QUEUE_BYTES_MAX = 32 * 1_048_576

/** Bodies that wait to be committed. */
export const QUEUE_BODIES_MAX = 10_000

/**
 * What a thread may hold, in megabytes: far more than it needs. More for what it has just made, and soon drops, saves no time; and a
 * heap without a limit grows to several times its need before the collector looks through all of it.
 */
const LIMITS = { maxYoungGenerationSizeMb: 24, maxOldGenerationSizeMb: 512 }

export interface WriterOptions {
  readonly database: string
  readonly hash_key: Uint8Array
  readonly started_at: number
}

/** What the thread that parses is opened with, and the one that commits; between them goes what was parsed. */
export interface ParserOptions extends Pick<WriterOptions, 'hash_key'> {
  readonly writer: MessagePort
}
export interface CommitterOptions extends Pick<WriterOptions, 'database' | 'started_at'> {
  readonly parser: MessagePort
}

interface Close {
  readonly kind: 'close'
}

export type ToParser = ({ readonly kind: 'group' } & Group) | Close

export type ToWriter = ({ readonly kind: 'group'; readonly facts: PackedFacts } & Omit<ParsedGroup, 'facts'>) | Close

export type FromWriter =
  | { readonly kind: 'taken'; readonly unreadable: readonly Unreadable[]; readonly counts: IntakeCounts }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'not-caught-up'; readonly reason: string }

/** What became of a body: committed and synced, not JSON, or not taken, or not committed, so that it has to come again. */
export type Receipt =
  | { readonly kind: 'committed' }
  | { readonly kind: 'unreadable'; readonly reason: string }
  | { readonly kind: 'behind' }
  | { readonly kind: 'failed' }

/** What the writer tells the server. */
export interface WriterEvents {
  readonly onTaken: (counts: IntakeCounts) => void
  /** Webhooks could not be committed, and have to come again. */
  readonly onFailure: (reason: string) => void
  /** What an administrator's act left to do could not be done, and is tried again. */
  readonly onNotCaughtUp: (reason: string) => void
  /** The thread has died: nothing can be committed any more. */
  readonly onDeath: (cause: Error) => void
}

/** Time as the writer sees it. */
export interface Clock {
  readonly now_ms: () => number
  readonly after: (ms: number, act: () => void) => void
}

/** What the thread tells the writer. */
export interface ThreadEvents {
  readonly onMessage: (message: FromWriter) => void
  readonly onDeath: (cause: Error) => void
}

/** Where groups are parsed and committed, one after another; disposing it lets go of the database. */
export interface WriterThread extends AsyncDisposable {
  readonly post: (group: Group) => void
}

interface Waiting {
  readonly body: Uint8Array
  readonly since_ms: number
  readonly settle: (receipt: Receipt) => void
}

/** A group that was handed over. */
interface Handed {
  readonly waiting: readonly Waiting[]
  readonly bytes: number
}

const COMMITTED: Receipt = { kind: 'committed' }
const BEHIND: Receipt = { kind: 'behind' }
const FAILED: Receipt = { kind: 'failed' }

/**
 * Opens the thread as two workers, so that reading never waits for a commit, nor a commit for the parsing of the next group:
 * one parses groups and hands them to the other, which commits them and tells of each.
 */
export function writerWorkers({ database, hash_key, started_at }: WriterOptions): (told: ThreadEvents) => WriterThread {
  return ({ onMessage, onDeath }) => {
    const { port1: writer, port2: parser } = new MessageChannel()
    const open = (script: string, workerData: ParserOptions | CommitterOptions, port: MessagePort): Worker => {
      const thread = new URL(script, import.meta.url)
      const worker = new Worker(thread, { workerData, transferList: [port], resourceLimits: LIMITS })
      return worker.on('error', (cause) => onDeath(cause instanceof Error ? cause : new Error(String(cause))))
    }
    const parsing = open('parser-thread.ts', { hash_key, writer }, writer)
    const writing = open('writer-thread.ts', { database, started_at, parser }, parser)
    writing.on('message', onMessage)
    const post = (message: ToParser, transfer: ArrayBuffer[] = []) => parsing.postMessage(message, transfer)
    return {
      post: (group) =>
        post(
          { kind: 'group', ...group },
          group.pieces.map(({ buffer }) => buffer),
        ),
      async [Symbol.asyncDispose]() {
        const exits = [parsing, writing].map((worker) => new Promise((resolve) => worker.once('exit', resolve)))
        post({ kind: 'close' })
        await Promise.all(exits)
      },
    }
  }
}

/** Commits webhook bodies in a thread of its own. Bodies that come while it works are committed together. */
export class Writer implements AsyncDisposable {
  readonly #thread: WriterThread
  readonly #events: WriterEvents
  readonly #clock: Clock
  #queue: Waiting[] = []
  readonly #inFlight: Handed[] = []
  #queueBytes = 0
  #inFlightBodies = 0
  /** Whether the first body of a group waits for company. */
  #isLingering = false
  #isDead = false
  #onDrained: (() => void) | undefined

  constructor(openThread: (told: ThreadEvents) => WriterThread, clock: Clock, events: WriterEvents) {
    this.#clock = clock
    this.#events = events
    this.#thread = openThread({
      onMessage: (message) => this.#settle(message),
      onDeath: (cause) => this.#die(cause),
    })
  }

  /** Bodies that wait to be committed. */
  get depth(): number {
    return this.#queue.length + this.#inFlightBodies
  }

  /** How long the oldest of them has waited. */
  get age_ms(): number {
    const oldest = this.#inFlight[0]?.waiting[0] ?? this.#queue[0]
    return oldest === undefined ? 0 : this.#clock.now_ms() - oldest.since_ms
  }

  /** Whether a body of so many bytes can wait. */
  hasRoom(bytes: number): boolean {
    return !this.#isDead && this.depth < QUEUE_BODIES_MAX && this.#queueBytes + bytes <= QUEUE_BYTES_MAX
  }

  /** Resolves when the body is committed, or it is known that it will not be. Never rejects. */
  submit(body: Uint8Array): Promise<Receipt> {
    if (!this.hasRoom(body.length)) return Promise.resolve(BEHIND)
    return new Promise((settle) => {
      this.#queue.push({ body, since_ms: this.#clock.now_ms(), settle })
      this.#queueBytes += body.length
      this.#schedule()
    })
  }

  /** Commits what was submitted, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDead) return
    if (this.depth > 0) await new Promise<void>((resolve) => (this.#onDrained = resolve))
    await this.#thread[Symbol.asyncDispose]()
  }

  #schedule(): void {
    if (this.#inFlight.length > 0 || this.#queueBytes >= GROUP_BYTES_MAX) this.#hand()
    else if (!this.#isLingering) {
      this.#isLingering = true
      this.#clock.after(GROUP_MS, () => {
        this.#isLingering = false
        this.#hand()
      })
    }
  }

  /**
   * While one group is committed, the next is parsed, once it is as large as that one: the writer does not wait for it then, and
   * commits are no smaller for it. What comes beyond grows until it is full.
   */
  #isDue(): boolean {
    const last = this.#inFlight.at(-1)
    if (last === undefined) return this.#queue.length > 0
    if (this.#inFlight.length >= GROUPS_IN_FLIGHT_MAX) return false
    return this.#queueBytes >= (this.#inFlight.length === 1 ? Math.min(last.bytes, GROUP_BYTES_MAX) : GROUP_BYTES_MAX)
  }

  #hand(): void {
    while (this.#isDue()) {
      const waiting = this.#takeGroup()
      const bodies = waiting.map(({ body }) => body)
      const lengths = bodies.map(({ length }) => length)
      const bytes = lengths.reduce((sum, length) => sum + length, 0)
      this.#inFlight.push({ waiting, bytes })
      this.#inFlightBodies += waiting.length
      this.#thread.post({ pieces: piecesOf(bodies), lengths, received_at: this.#clock.now_ms() })
    }
  }

  #takeGroup(): Waiting[] {
    let bodies = 0
    let size = 0
    while (bodies < this.#queue.length) {
      size += this.#queue[bodies]?.body.length ?? 0
      if (bodies > 0 && size > GROUP_BYTES_MAX) break
      bodies++
    }
    const group = this.#queue.slice(0, bodies)
    this.#queue = this.#queue.slice(bodies)
    for (const { body } of group) this.#queueBytes -= body.length
    return group
  }

  #settle(message: FromWriter): void {
    if (message.kind === 'not-caught-up') {
      this.#events.onNotCaughtUp(message.reason)
      return
    }
    const waiting = this.#inFlight.shift()?.waiting ?? []
    this.#inFlightBodies -= waiting.length
    if (message.kind === 'failed') {
      this.#events.onFailure(message.reason)
      for (const { settle } of waiting) settle(FAILED)
    } else {
      this.#events.onTaken(message.counts)
      for (const [i, { settle }] of waiting.entries()) settle(receiptOf(message.unreadable[i] ?? null))
    }
    this.#hand()
    if (this.depth === 0) this.#onDrained?.()
  }

  #die(cause: Error): void {
    this.#isDead = true
    for (const { settle } of [...this.#inFlight.flatMap(({ waiting }) => waiting), ...this.#queue]) settle(FAILED)
    this.#queue = []
    this.#queueBytes = 0
    this.#inFlight.length = 0
    this.#inFlightBodies = 0
    this.#onDrained?.()
    this.#events.onDeath(cause)
  }
}

function receiptOf(unreadable: Unreadable): Receipt {
  return unreadable === null ? COMMITTED : { kind: 'unreadable', reason: unreadable }
}
