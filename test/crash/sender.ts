import { formatSignature } from '../../src/ingest/signature.ts'
import { formatWebhook, type SandboxEvent } from '../../src/sandbox/event.ts'
import type { Random, Weighted } from '../../src/sandbox/random.ts'
import { APP_SECRET } from '../open.ts'

const CONNECTIONS = 8

/** Facts that come out of order among each other. */
const SHUFFLED_FACTS = 2000

/** Changes of a body, as a range. */
const SIZES: Weighted<readonly [min: number, max: number]> = [
  [[1, 1], 12],
  [[2, 50], 5],
  [[200, 1000], 1],
]

/** Bodies that are sent again though they were answered 200, and facts that a later body tells again. */
const REPEATED_BODY_RATE = 0.1
const REPEATED_FACT_RATE = 0.02

/** Bodies that come to two servers at the same time, where there are two. */
const TWICE_RATE = 0.1

/** No answer takes longer, or the server hangs. */
const ANSWER_MS_MAX = 20_000
const DRAIN_MS_MAX = 60_000

/** Those who listen now. Whoever is about to be killed is taken out before: who ends while it is here has ended by itself. */
export type Listening = () => readonly string[]

/** Sends webhooks as Meta does, to any of the servers: what is not answered 200 comes again, and some of what was comes again, too. */
export class Sender {
  readonly #random: Random
  readonly #events: Iterator<SandboxEvent, void>
  readonly #pending: Buffer<ArrayBuffer>[] = []
  readonly #answered: Buffer<ArrayBuffer>[] = []
  #coming: SandboxEvent[] = []
  #inFlight = 0
  #cutOff = 0
  /** Every fact that a body told of, once for each time. */
  readonly told: SandboxEvent[] = []

  constructor(random: Random, events: Iterator<SandboxEvent, void>) {
    this.#random = random
    this.#events = events
  }

  /** Bodies that were sent and are not answered yet. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** How often a connection broke before the answer. */
  get cutOff(): number {
    return this.#cutOff
  }

  /**
   * Sends old bodies and new ones, until so many facts more are told of and all of it is answered, until it is stopped, or until a
   * server has ended that listens; tells whether none has.
   */
  async load(listening: Listening, facts: number, signal?: AbortSignal): Promise<boolean> {
    const until = this.told.length + facts
    return this.#send(listening, () => (signal?.aborted ? undefined : this.#next(until)))
  }

  /** Sends what is left, until all of it is answered 200. */
  async drain(listening: Listening): Promise<void> {
    const late_ms = performance.now() + DRAIN_MS_MAX
    while (this.#pending.length > 0) {
      if (performance.now() > late_ms) throw new Error(`${this.#pending.length} webhooks are refused over and over`)
      if (!(await this.#send(listening, () => this.#pending.shift()))) throw new Error('the server has gone by itself')
    }
  }

  /** Whether every server that listens was there to the end. */
  async #send(listening: Listening, next: () => Buffer<ArrayBuffer> | undefined): Promise<boolean> {
    const connections = Array.from({ length: CONNECTIONS }, async () => {
      for (let body = next(); body !== undefined; body = next()) {
        const servers = this.#pick(listening())
        this.#inFlight++
        const statuses = await Promise.all(servers.map((url) => post(url, body)))
        this.#inFlight--
        if (statuses.includes(200)) this.#answered.push(body)
        else this.#pending.push(body)
        const other = statuses.find((status) => status !== undefined && status !== 200 && status !== 503)
        if (other !== undefined) throw new Error(`a webhook was answered ${other}`)
        const gone = servers.filter((_, i) => statuses[i] === undefined)
        this.#cutOff += gone.length
        if (gone.some((url) => listening().includes(url))) return false
      }
      return true
    })
    return (await Promise.all(connections)).every((isThere) => isThere)
  }

  /** One of the servers, or two: Meta tries again before it has heard of the first time. */
  #pick(servers: readonly string[]): readonly string[] {
    const count = servers.length > 1 && this.#random.chance(TWICE_RATE) ? 2 : 1
    return this.#random.shuffle(servers).slice(0, count)
  }

  #next(until: number): Buffer<ArrayBuffer> | undefined {
    if (this.#answered.length > 0 && this.#random.chance(REPEATED_BODY_RATE)) {
      return this.#answered[this.#random.integer(0, this.#answered.length - 1)]
    }
    const isOld = this.told.length >= until || this.#random.chance(0.5)
    return (isOld ? this.#pending.shift() : undefined) ?? (this.told.length < until ? this.#newBody() : undefined)
  }

  #newBody(): Buffer<ArrayBuffer> {
    const events: SandboxEvent[] = []
    for (let left = this.#random.integer(...this.#random.pick(SIZES)); left > 0; left--) events.push(this.#nextEvent())
    this.told.push(...events)
    return Buffer.from(formatWebhook(events, 'ms'))
  }

  #nextEvent(): SandboxEvent {
    if (this.told.length > 0 && this.#random.chance(REPEATED_FACT_RATE)) {
      return this.told[this.#random.integer(0, this.told.length - 1)] as SandboxEvent
    }
    if (this.#coming.length === 0) this.#coming = this.#random.shuffle(take(this.#events, SHUFFLED_FACTS))
    return this.#coming.pop() as SandboxEvent
  }
}

/** The status of the answer; `undefined` when the connection broke before it. */
async function post(url: string, body: Buffer<ArrayBuffer>): Promise<number | undefined> {
  const headers = { 'x-hub-signature-256': formatSignature(body, APP_SECRET) }
  const signal = AbortSignal.timeout(ANSWER_MS_MAX)
  try {
    const response = await fetch(`${url}/webhooks/messenger`, { method: 'POST', headers, body, signal })
    await response.arrayBuffer().catch(() => undefined)
    return response.status
  } catch (cause) {
    if (signal.aborted) throw new Error(`a webhook was not answered within ${ANSWER_MS_MAX} ms`, { cause })
    return undefined
  }
}

function take(events: Iterator<SandboxEvent, void>, count: number): SandboxEvent[] {
  return Array.from({ length: count }, () => {
    const { value } = events.next()
    if (value === undefined) throw new Error('the facts of this world have run out: raise FACTS_PER_PAGE')
    return value
  })
}
