import { WEBHOOK_PATH, webhookHeaders } from './bodies.ts'

/** What a poster has come to. */
export interface Posted {
  readonly accepted: number
  /** Answered with anything but 200. */
  readonly refused: number
  readonly seconds: number
}

/** Bodies on their way at once: a server that takes fewer than asked slows the poster down. */
const IN_FLIGHT_MAX = 8

/** How often it looks what is due. */
const EVERY_MS = 10

/** Posts webhooks at a steady rate until it is stopped, each once. */
export class Poster {
  readonly #url: string
  readonly #app_secret: string
  readonly #bodies: readonly Buffer<ArrayBuffer>[]
  readonly #bodies_per_s: number
  readonly #inFlight = new Set<Promise<void>>()
  readonly #started_ms = performance.now()
  readonly #timer: NodeJS.Timeout
  #posted = 0
  #accepted = 0
  #refused = 0

  constructor(server_url: string, bodies: readonly Buffer<ArrayBuffer>[], bodies_per_s: number, app_secret: string) {
    this.#url = server_url + WEBHOOK_PATH
    this.#app_secret = app_secret
    this.#bodies = bodies
    this.#bodies_per_s = bodies_per_s
    this.#timer = setInterval(() => this.#postDue(), EVERY_MS)
  }

  async stop(): Promise<Posted> {
    const seconds = (performance.now() - this.#started_ms) / 1000
    const accepted = this.#accepted
    clearInterval(this.#timer)
    await Promise.all(this.#inFlight)
    return { accepted, refused: this.#refused, seconds }
  }

  #postDue(): void {
    const due = ((performance.now() - this.#started_ms) / 1000) * this.#bodies_per_s
    while (this.#posted < due && this.#inFlight.size < IN_FLIGHT_MAX) {
      const body = this.#bodies[this.#posted]
      if (body === undefined) return
      this.#posted++
      const posting = this.#post(body).finally(() => this.#inFlight.delete(posting))
      this.#inFlight.add(posting)
    }
  }

  async #post(body: Buffer<ArrayBuffer>): Promise<void> {
    const headers = webhookHeaders(body, this.#app_secret)
    const response = await fetch(this.#url, { method: 'POST', headers, body }).catch(() => undefined)
    await response?.arrayBuffer()
    if (response?.status === 200) this.#accepted++
    else this.#refused++
  }
}
