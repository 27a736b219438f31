import { formatSignature } from '../../../src/ingest/signature.ts'
import type { Random, Weighted } from '../../../src/sandbox/random.ts'
import { APP_SECRET } from '../../open.ts'
import { ArmedFaults } from '../armed-faults.ts'
import { Violation } from '../model/violation.ts'
import { head } from '../people/sender.ts'
import type { Fault } from '../plan/fault.ts'
import type { Host } from './host.ts'
import type { UnderWay } from './under-way.ts'
import { SYNC, Wire } from './wire.ts'

/** To how many servers a body comes at the same time: Meta may try again before it has heard of the first time. */
const TIMES: Weighted<number> = [
  [1, 5],
  [2, 3],
  [3, 1],
]

/** How often a body comes again at once: each time, a fault that was prepared has struck. */
const TRIES_MAX = 100

/** No answer takes longer, or the server hangs. */
const ANSWER_MS_MAX = 60_000

/** What a fleet is told of the world, and tells it. */
export interface FleetWorld {
  readonly random: Random
  readonly underWay: UnderWay
  /** A process that is to be a server's. */
  readonly takeHost: () => Host
  /** A server begins to start. */
  readonly onStart: () => void
  /** A server listens that was killed before. */
  readonly onRestarted: () => void
  /** A server was killed, and is to be down for so long. */
  readonly onKill: (down_ms: number, restart: () => void) => void
  /** A webhook was answered 200. */
  readonly onTaken: (body: string) => void
  /** A server has logged an error. */
  readonly onFailure: (line: string) => void
}

/** One of the servers: the process in which it runs, while it does, and what lies between that and the database. */
interface Member {
  readonly wire: Wire
  host: Host | undefined
  /** Where it listens, while it does. */
  url: string | undefined
  /** Fulfilled when it listens, or was killed before it did. */
  started: Promise<void>
}

/** What became of a request: the status of its answer; `unheard` where the connection ended without one, `refused` where none was made. */
type Heard = number | 'unheard' | 'refused'

/** Several servers on one database, each in a process of its own. */
export class Fleet {
  readonly #world: FleetWorld
  readonly #members: Member[] = []
  readonly #faults = new ArmedFaults(SYNC)
  #down_ms = 0
  kills = 0

  constructor(world: FleetWorld) {
    this.#world = world
  }

  /** Starts so many servers. */
  async start(database: string, servers: number): Promise<void> {
    for (let i = 0; i < servers; i++) await this.#add(database)
    await Promise.all(this.#members.map((member) => this.#start(member)))
  }

  /**
   * Posts a webhook to one of the servers, or to some. Nobody knows what became of one that was not answered, or was answered 503 for
   * what broke at its commit: it comes again at once, to any of them. The status is 0 where there was no server to take it.
   */
  post(body: string): Promise<number> {
    const posting = this.#post(body)
    this.#world.underWay.begin(posting)
    return posting
  }

  /** Asks any of the servers. */
  async get(path: string, query: string): Promise<{ status: number; json: unknown }> {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX)
    const response = await fetch(`${(await this.#pickUp()).url}${path}?${query}`, { signal })
    return { status: response.status, json: await response.json() }
  }

  /** Has a fault strike whichever of the servers comes to it first; if that kills it, it is down for so long. */
  arm(fault: Fault, down_ms: number): void {
    this.#down_ms = down_ms
    this.#faults.arm(fault)
  }

  /** Has one of the servers stand still. */
  pause(ms: number): void {
    const host = this.#pick(this.#up)?.host
    if (host !== undefined) this.#world.underWay.begin(host.pause(ms))
  }

  /** Has every commit take so long. */
  slow(commit_ms: number): void {
    for (const { wire } of this.#members) wire.commit_ms = commit_ms
  }

  /** Takes back the faults that have not struck, and starts whoever is down. */
  async restore(): Promise<void> {
    this.slow(0)
    this.#faults.disarm()
    await Promise.all(this.#members.map((member) => this.#start(member)))
  }

  /** Starts one of the servers where none is up. */
  async keepOne(): Promise<void> {
    await this.#pickUp()
  }

  /** Closes the servers, and returns the processes in which they ran. */
  async close(): Promise<Host[]> {
    const hosts = this.#members.flatMap(({ host }) => host ?? [])
    await Promise.all(hosts.map((host) => host.close()))
    await this.#cutOff()
    return hosts
  }

  /** Ends every process, as it is. */
  async abandon(): Promise<void> {
    const hosts = this.#members.flatMap(({ host }) => host ?? [])
    await Promise.all(hosts.map((host) => host.kill()))
    await this.#cutOff()
  }

  async #cutOff(): Promise<void> {
    await Promise.all(this.#members.map(({ wire }) => wire[Symbol.asyncDispose]()))
  }

  get #up(): Member[] {
    return this.#members.filter(({ url }) => url !== undefined)
  }

  #pick(members: readonly Member[]): Member | undefined {
    return members[this.#world.random.integer(0, members.length - 1)]
  }

  /** Any of those that listen; where none does, one is started. */
  async #pickUp(): Promise<Member> {
    const up = this.#pick(this.#up)
    if (up !== undefined) return up
    const member = this.#pick(this.#members) as Member
    await this.#start(member)
    return member.url === undefined ? this.#pickUp() : member
  }

  async #add(database: string): Promise<void> {
    const onKill = () => this.#kill(member)
    const wire = await Wire.lay(database, this.#faults, { onCommit: () => {}, onKill })
    const member: Member = { wire, host: undefined, url: undefined, started: Promise.resolve() }
    this.#members.push(member)
  }

  #start(member: Member): Promise<void> {
    if (member.host === undefined) {
      member.host = this.#world.takeHost()
      member.started = this.#open(member, member.host)
    }
    return member.started
  }

  async #open(member: Member, host: Host): Promise<void> {
    const { onStart, onFailure, underWay } = this.#world
    onStart()
    const onEnd = () => underWay.note(new Violation('a server has ended by itself'))
    const url = await host.open(member.wire.database, { onFailure, onEnd })
    if (member.host === host) member.url = url
  }

  #kill(member: Member): void {
    const { host } = member
    if (host === undefined) return
    member.host = undefined
    member.url = undefined
    this.kills++
    this.#world.underWay.begin(host.kill())
    this.#world.onKill(this.#down_ms, () => this.#world.underWay.begin(this.#restart(member)))
  }

  async #restart(member: Member): Promise<void> {
    await this.#start(member)
    this.#world.onRestarted()
  }

  async #post(body: string): Promise<number> {
    const members = this.#world.random.shuffle(this.#members).slice(0, this.#world.random.pick(TIMES))
    let heard = await Promise.all(members.map((member) => postTo(member, body)))
    for (let tries = 1; isInDoubt(heard); tries++) {
      if (tries === TRIES_MAX) throw new Violation(`a webhook is not taken ${TRIES_MAX} times: ${head(body)}`)
      heard = [await postTo(await this.#pickUp(), body)]
    }
    if (heard.includes(200)) this.#world.onTaken(body)
    const unexpected = heard.find((one) => typeof one === 'number' && one !== 200 && one !== 503)
    return Number(unexpected ?? (heard.includes(200) ? 200 : 0))
  }
}

/** Whether a body may be committed, or not. */
function isInDoubt(heard: readonly Heard[]): boolean {
  return (
    heard.some((one) => one === 503 || one === 'unheard') &&
    heard.every((one) => typeof one !== 'number' || one === 503)
  )
}

async function postTo({ url }: Member, body: string): Promise<Heard> {
  if (url === undefined) return 'refused'
  const signal = AbortSignal.timeout(ANSWER_MS_MAX)
  try {
    const headers = { 'x-hub-signature-256': formatSignature(Buffer.from(body), APP_SECRET) }
    const response = await fetch(`${url}/webhooks/messenger`, { method: 'POST', headers, body, signal })
    await response.arrayBuffer().catch(() => undefined)
    return response.status
  } catch (cause) {
    if (signal.aborted)
      throw new Violation(`a webhook was not answered within ${ANSWER_MS_MAX} ms: ${head(body)}`, { cause })
    return 'unheard'
  }
}
