import { WEBHOOK_PATH, webhookHeaders } from './bodies.ts'

/** A webhook that is sent until it is answered 200. */
interface Webhook {
  readonly body: Buffer<ArrayBuffer>
  readonly headers: Record<string, string>
}

const EVERY_MS = 5

/** Connections that send what is left when the flood is over. */
const DRAIN_CONNECTIONS = 8

/**
 * Sends webhooks whether those before them are answered or not. What is answered 503 comes again when `Retry-After` says,
 * and takes the place of a new one.
 */
export class Flood {
  readonly #url: string
  readonly #app_secret: string
  readonly #bodies: Iterator<Buffer<ArrayBuffer>, void>
  readonly #inFlight = new Set<Promise<void>>()
  #refused: { readonly webhook: Webhook; readonly again_ms: number }[] = []
  /** Different webhooks. */
  sent = 0
  accepted = 0
  /** Answers 503. */
  refusals = 0
  /** Answers that Meta would not expect, and connections that broke. */
  readonly failures: string[] = []

  constructor(server_url: string, bodies: Iterator<Buffer<ArrayBuffer>, void>, app_secret: string) {
    this.#url = server_url + WEBHOOK_PATH
    this.#bodies = bodies
    this.#app_secret = app_secret
  }

  /** Sends so many a second, for so long; what is under way then goes on. */
  async pour(webhooks_per_s: number, seconds: number): Promise<void> {
    const started_ms = performance.now()
    let poured = 0
    for (let at_s = 0; at_s < seconds; at_s = (performance.now() - started_ms) / 1000) {
      for (; poured < at_s * webhooks_per_s; poured++) this.#start(this.#takeRefused() ?? this.#takeNew())
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
    }
  }

  /** Keeps so many new webhooks under way for so long, each as the one before is answered; returns how many were accepted a second. */
  async press(connections: number, seconds: number): Promise<number> {
    const until_ms = performance.now() + seconds * 1000
    const before = this.accepted
    await this.#keepBusy(connections, () => (performance.now() < until_ms ? this.#takeNew() : undefined))
    return (this.accepted - before) / seconds
  }

  /** Sends what was refused until nothing is left, or something fails. */
  async drain(): Promise<void> {
    await Promise.all(this.#inFlight)
    while (this.#refused.length > 0 && this.failures.length === 0) {
      await this.#keepBusy(DRAIN_CONNECTIONS, () => this.#refused.shift()?.webhook)
    }
  }

  async #keepBusy(connections: number, next: () => Webhook | undefined): Promise<void> {
    const connection = async () => {
      for (let webhook = next(); webhook !== undefined; webhook = next()) await this.#send(webhook)
    }
    await Promise.all(Array.from({ length: connections }, connection))
  }

  #start(webhook: Webhook): void {
    const sending = this.#send(webhook).finally(() => this.#inFlight.delete(sending))
    this.#inFlight.add(sending)
  }

  #takeRefused(): Webhook | undefined {
    const [first] = this.#refused
    return first !== undefined && first.again_ms <= performance.now() ? this.#refused.shift()?.webhook : undefined
  }

  #takeNew(): Webhook {
    const { value } = this.#bodies.next()
    if (value === undefined) throw new Error('the webhooks have run out')
    this.sent++
    return { body: value, headers: webhookHeaders(value, this.#app_secret) }
  }

  async #send(webhook: Webhook): Promise<void> {
    try {
      const response = await fetch(this.#url, { method: 'POST', ...webhook })
      await response.arrayBuffer()
      if (response.status === 200) this.accepted++
      else this.#refuse(webhook, response)
    } catch (cause) {
      this.failures.push(`a connection broke: ${cause instanceof Error ? String(cause.cause ?? cause) : cause}`)
    }
  }

  #refuse(webhook: Webhook, { status, headers }: Response): void {
    const retry_after_s = Number(headers.get('retry-after') ?? Number.NaN)
    if (status !== 503 || !(retry_after_s > 0)) {
      this.failures.push(`answered ${status} with Retry-After ${headers.get('retry-after')}`)
      return
    }
    this.refusals++
    this.#refused.push({ webhook, again_ms: performance.now() + retry_after_s * 1000 })
  }
}
