import { Worker } from 'node:worker_threads'
import { type Errand, type ErrandAnswer, isReading } from './errand.ts'
import { GraphError, type GraphErrorKind, UNAVAILABLE } from './error.ts'

/** Errands that wait for the deputy; past it, callers are asked to come again. */
export const ERRANDS_MAX = 100

/** Those of one token, so that nobody's questions are all that the deputy ever answers. */
export const ERRANDS_OF_TOKEN_MAX = 4

/** How long an errand waits for its turn: then whoever sent it may have gone, and is asked to come again. */
export const ERRAND_WAIT_MS_MAX = 60_000

export interface DeputyOptions {
  readonly database: string
  readonly meta_history_limit: boolean
}

export type ToDeputy =
  | { readonly kind: 'errand'; readonly number: number; readonly errand: Errand }
  | { readonly kind: 'close' }

export type FromDeputy =
  | { readonly kind: 'answered'; readonly number: number; readonly answer: ErrandAnswer }
  | { readonly kind: 'refused'; readonly number: number; readonly error: GraphErrorKind; readonly text: string }
  | { readonly kind: 'failed'; readonly number: number; readonly reason: string }

interface Waiting extends PromiseWithResolvers<ErrandAnswer> {
  readonly number: number
  readonly errand: Errand
}

/**
 * Answers in a thread of its own what would hold up everyone else: calls that change something, which may have to wait for
 * the writer, and calls that read much. Those that read go there one by one, so that each is answered as soon as it is read; after
 * one token's comes another's, where there is one.
 */
export class Deputy implements AsyncDisposable {
  readonly #worker: Worker
  readonly #now_ms: () => number
  readonly #onDeath: (cause: Error) => void
  /** All that are not answered yet, in the order in which they came. */
  readonly #waiting = new Map<number, Waiting>()
  /** Those of them that read, and are not under way. */
  #queue: Waiting[] = []
  /** The one that reads now, or did last. */
  #turn: Waiting | undefined
  #number = 0
  #death: Error | undefined

  constructor(options: DeputyOptions, now_ms: () => number, onDeath: (cause: Error) => void) {
    this.#now_ms = now_ms
    this.#onDeath = onDeath
    this.#worker = new Worker(new URL('deputy-thread.ts', import.meta.url), { workerData: options })
    this.#worker.on('message', (message: FromDeputy) => this.#settle(message))
    this.#worker.on('error', (cause) => this.#die(cause instanceof Error ? cause : new Error(String(cause))))
  }

  /** Rejects with a GraphError, or with what failed inside the server. */
  async answer(errand: Errand): Promise<ErrandAnswer> {
    if (this.#death !== undefined) throw this.#death
    const ofToken = [...this.#waiting.values()].filter((one) => tokenOf(one) === errand.token.token_hash)
    if (this.#waiting.size >= ERRANDS_MAX || ofToken.length >= ERRANDS_OF_TOKEN_MAX) throw busy()
    const waiting = { ...Promise.withResolvers<ErrandAnswer>(), number: this.#number++, errand }
    this.#waiting.set(waiting.number, waiting)
    if (isReading(errand)) {
      this.#queue.push(waiting)
      this.#readNext()
    } else this.#begin(waiting)
    return waiting.promise
  }

  /** Answers what is under way, and closes; what has not begun may come again. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#death !== undefined) return
    for (const { reject } of this.#queue) reject(busy())
    this.#queue = []
    const exit = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#post({ kind: 'close' })
    await exit
  }

  #readNext(): void {
    if (this.#turn !== undefined && this.#waiting.has(this.#turn.number)) return
    const last = this.#turn && tokenOf(this.#turn)
    const next = this.#queue.find((one) => tokenOf(one) !== last) ?? this.#queue[0]
    if (next === undefined) return
    this.#queue = this.#queue.filter((one) => one !== next)
    this.#turn = next
    if (this.#now_ms() - next.errand.now_ms <= ERRAND_WAIT_MS_MAX) this.#begin(next)
    else this.#end(next, () => next.reject(busy()))
  }

  #begin({ number, errand }: Waiting): void {
    this.#post({ kind: 'errand', number, errand })
  }

  #settle(message: FromDeputy): void {
    const waiting = this.#waiting.get(message.number)
    if (waiting === undefined) return
    this.#end(waiting, () => {
      if (message.kind === 'answered') waiting.resolve(message.answer)
      else if (message.kind === 'refused') waiting.reject(new GraphError(message.error, message.text))
      else waiting.reject(new Error(message.reason))
    })
  }

  #end(waiting: Waiting, settle: () => void): void {
    this.#waiting.delete(waiting.number)
    settle()
    this.#readNext()
  }

  #die(cause: Error): void {
    this.#death = cause
    for (const { reject } of this.#waiting.values()) reject(cause)
    this.#onDeath(cause)
  }

  #post(message: ToDeputy): void {
    this.#worker.postMessage(message)
  }
}

function tokenOf({ errand }: Waiting): string {
  return errand.token.token_hash
}

function busy(): GraphError {
  return new GraphError(UNAVAILABLE, 'Service temporarily unavailable')
}
