import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { ReportOrder } from '../store/reports.ts'
import { GraphError, TOO_MANY_REPORTS, UNAVAILABLE } from './error.ts'

/** How long the answer to an order waits for the report to end: the first poll of a small one finds it completed. */
export const COMPLETE_AT_ONCE_MS = 300

/** Reports of one account that have not ended; past it, orders are answered with Meta's "request limit reached". */
export const UNFINISHED_REPORTS_MAX = 200

/** Reports that are made at once, in turns; each has a connection of its own. */
export const REPORTS_AT_ONCE_MAX = 4

/** How often the thread is told the time, in which reports end and expire. */
const TIME_EVERY_MS = 1000

export interface ReporterOptions {
  readonly database: string
  readonly meta_history_limit: boolean
  readonly started_at: number
}

export type ToReporter =
  | { readonly kind: 'order'; readonly order: ReportOrder }
  | { readonly kind: 'time'; readonly now_ms: number }
  | { readonly kind: 'close' }

export type FromReporter =
  | { readonly kind: 'taken' | 'ended' | 'too many' | 'unavailable'; readonly run_id: string }
  | { readonly kind: 'refused'; readonly run_id: string; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }

/** What the reporter tells the server. */
export interface ReporterEvents {
  /** A report failed, or expired ones could not be removed, through our fault. */
  readonly onFailure: (reason: string) => void
  /** The thread has died: no report can be made any more. */
  readonly onDeath: (cause: Error) => void
}

interface Waiting {
  readonly taken: PromiseWithResolvers<void>
  readonly ended: PromiseWithResolvers<void>
}

/** Makes reports in a thread of its own, so that neither answers nor webhooks wait for them. */
export class Reporter implements AsyncDisposable {
  readonly #worker: Worker
  readonly #events: ReporterEvents
  readonly #timer: NodeJS.Timeout
  readonly #waiting = new Map<string, Waiting>()
  #death: Error | undefined

  constructor(options: ReporterOptions, now_ms: () => number, events: ReporterEvents) {
    this.#events = events
    this.#worker = new Worker(new URL('reporter-thread.ts', import.meta.url), { workerData: options })
    this.#worker.on('message', (message: FromReporter) => this.#settle(message))
    this.#worker.on('error', (cause) => this.#die(cause instanceof Error ? cause : new Error(String(cause))))
    this.#timer = setInterval(() => this.#post({ kind: 'time', now_ms: now_ms() }), TIME_EVERY_MS).unref()
  }

  /**
   * Resolves when the order is committed, and its report has ended or takes longer than one waits for it. Rejects when
   * the order was not taken, with a GraphError where that is the account's fault.
   */
  async order(order: ReportOrder): Promise<void> {
    if (this.#death !== undefined) throw this.#death
    const waiting = { taken: Promise.withResolvers<void>(), ended: Promise.withResolvers<void>() }
    this.#waiting.set(order.run_id, waiting)
    this.#post({ kind: 'order', order })
    try {
      await waiting.taken.promise
      await Promise.race([waiting.ended.promise, setTimeout(COMPLETE_AT_ONCE_MS, undefined, { ref: false })])
    } finally {
      this.#waiting.delete(order.run_id)
    }
  }

  /** Leaves the reports that have not ended to the next start, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    if (this.#death !== undefined) return
    const exit = once(this.#worker, 'exit')
    this.#post({ kind: 'close' })
    await exit
  }

  #settle(message: FromReporter): void {
    if (message.kind === 'failed') {
      this.#events.onFailure(message.reason)
      return
    }
    const waiting = this.#waiting.get(message.run_id)
    if (message.kind === 'taken') waiting?.taken.resolve()
    else if (message.kind === 'ended') waiting?.ended.resolve()
    else waiting?.taken.reject(refusalOf(message))
  }

  #die(cause: Error): void {
    this.#death = cause
    clearInterval(this.#timer)
    for (const { taken, ended } of this.#waiting.values()) {
      taken.reject(cause)
      ended.resolve()
    }
    this.#events.onDeath(cause)
  }

  #post(message: ToReporter): void {
    this.#worker.postMessage(message)
  }
}

function refusalOf(message: Exclude<FromReporter, { kind: 'failed' }>): Error {
  if (message.kind === 'refused') return new Error(message.reason)
  if (message.kind === 'unavailable') return new GraphError(UNAVAILABLE, 'Service temporarily unavailable')
  return new GraphError(TOO_MANY_REPORTS, 'Application request limit reached')
}
