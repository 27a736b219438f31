import { Worker } from 'node:worker_threads'
import type { Errand } from './errand.ts'
import { GraphError, type GraphErrorKind, UNAVAILABLE } from './error.ts'

/** Errands that wait for the deputy; past it, callers are asked to come again. */
export const ERRANDS_MAX = 100

/** Those of one token, so that nobody's questions are all that the deputy ever answers. */
export const ERRANDS_OF_TOKEN_MAX = 4

export interface DeputyOptions {
  readonly database: string
  readonly meta_history_limit: boolean
}

export type ToDeputy =
  | { readonly kind: 'errand'; readonly number: number; readonly errand: Errand }
  | { readonly kind: 'close' }

export type FromDeputy =
  | { readonly kind: 'answered'; readonly number: number; readonly body: string }
  | { readonly kind: 'refused'; readonly number: number; readonly error: GraphErrorKind; readonly text: string }
  | { readonly kind: 'failed'; readonly number: number; readonly reason: string }

interface Waiting extends PromiseWithResolvers<string> {
  readonly token_hash: string
}

/**
 * Answers in a thread of its own what would hold up everyone else: calls that change something, which may have to wait for
 * the writer, and calls that read much.
 */
export class Deputy implements AsyncDisposable {
  readonly #worker: Worker
  readonly #onDeath: (cause: Error) => void
  readonly #waiting = new Map<number, Waiting>()
  #number = 0
  #death: Error | undefined

  constructor(options: DeputyOptions, onDeath: (cause: Error) => void) {
    this.#onDeath = onDeath
    this.#worker = new Worker(new URL('deputy-thread.ts', import.meta.url), { workerData: options })
    this.#worker.on('message', (message: FromDeputy) => this.#settle(message))
    this.#worker.on('error', (cause) => this.#die(cause instanceof Error ? cause : new Error(String(cause))))
  }

  /** The body of the answer, JSON. Rejects with a GraphError, or with what failed inside the server. */
  async answer(errand: Errand): Promise<string> {
    if (this.#death !== undefined) throw this.#death
    const { token_hash } = errand.token
    const ofToken = [...this.#waiting.values()].filter((one) => one.token_hash === token_hash)
    if (this.#waiting.size >= ERRANDS_MAX || ofToken.length >= ERRANDS_OF_TOKEN_MAX) {
      throw new GraphError(UNAVAILABLE, 'Service temporarily unavailable')
    }
    const number = this.#number++
    const waiting = { ...Promise.withResolvers<string>(), token_hash }
    this.#waiting.set(number, waiting)
    this.#post({ kind: 'errand', number, errand })
    return waiting.promise.finally(() => this.#waiting.delete(number))
  }

  /** Answers what is under way, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#death !== undefined) return
    const exit = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#post({ kind: 'close' })
    await exit
  }

  #settle(message: FromDeputy): void {
    const waiting = this.#waiting.get(message.number)
    if (message.kind === 'answered') waiting?.resolve(message.body)
    else if (message.kind === 'refused') waiting?.reject(new GraphError(message.error, message.text))
    else waiting?.reject(new Error(message.reason))
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
