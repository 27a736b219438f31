import { formatWebhook } from '../../../src/sandbox/event.ts'
import { Violation } from '../model/violation.ts'
import type { History, Webhook } from '../plan/step.ts'
import type { VirtualTime } from '../time.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** When Meta comes again after the first time: ever more seldom, until 36 hours are over. */
const RETRY_AFTER_MS = [MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, 10 * HOUR_MS, 20 * HOUR_MS]

/** A server as the sender sees it: the status of its answer, or `undefined` where the connection ended without one. */
export interface Listener {
  post(body: string): Promise<number | undefined>
}

/** What the sender is told of the world. */
export interface SenderWorld {
  readonly time: VirtualTime
  /** The one that listens, if any does. */
  readonly server: () => Listener | undefined
  readonly isCommitted: (body: string) => boolean
  readonly onMistake: (cause: unknown) => void
}

/** Posts webhooks as Meta does, until each is answered 200. */
export class Sender {
  readonly #world: SenderWorld
  /** Bodies that were answered 200. */
  readonly answered = new Set<string>()

  constructor(world: SenderWorld) {
    this.#world = world
  }

  send({ events, clicks_in, retry_ms }: Webhook): void {
    this.#try(formatWebhook(events, clicks_in), [retry_ms, ...RETRY_AFTER_MS])
  }

  #try(body: string, retries_ms: readonly number[]): void {
    this.#post(body, retries_ms).catch(this.#world.onMistake)
  }

  async #post(body: string, [retry_ms, ...later_ms]: readonly number[]): Promise<void> {
    const status = (await this.#world.server()?.post(body)) ?? 0
    if (status === 200) {
      this.answered.add(body)
      if (!this.#world.isCommitted(body)) throw new Violation(`answered 200 and not committed: ${head(body)}`)
      return
    }
    if (![0, 503].includes(status)) throw new Violation(`a webhook is answered ${status}: ${head(body)}`)
    if (retry_ms !== undefined) this.#world.time.after(retry_ms, () => this.#try(body, later_ms))
  }

  /** Posts what is no webhook, once: it must not be answered 200. */
  sendGarbage(text: string): void {
    const posting = async () => {
      const status = (await this.#world.server()?.post(text)) ?? 0
      if (![0, 400, 503].includes(status)) throw new Violation(`what is no webhook is answered ${status}: ${text}`)
    }
    posting().catch(this.#world.onMistake)
  }
}

/** No fault lasts as long as Meta tries, so in the end every webhook of a history is there. */
export function refuseUncommitted({ steps }: History, isCommitted: (body: string) => boolean): void {
  for (const step of steps) {
    if (step.kind !== 'webhook') continue
    const body = formatWebhook(step.events, step.clicks_in)
    if (!isCommitted(body)) throw new Violation(`never committed: ${head(body)}`)
  }
}

/** The beginning of a body, which may hold a thousand changes. */
export function head(body: string): string {
  return body.slice(0, 500)
}
