import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { type ArmedFaults, BEGINS_WRITING } from '../armed-faults.ts'
import type { Fault } from '../plan/fault.ts'
import { type Frame, Frames, textsOf } from './frames.ts'

/** On PostgreSQL a commit is synced in one statement. */
export const SYNC = 'COMMIT'

/** What a wire tells. */
export interface WireEvents {
  /** A writing transaction is committed, whether or not whoever wrote hears of it. */
  readonly onCommit: () => void
  /** A fault kills whoever is at this end, this very moment. */
  readonly onKill: () => void
}

const PORT = 5432

/** How long whoever is killed after it has heard of what it did may go on with it. */
const HEARD_MS_MAX = 5

/**
 * What lies between one process and PostgreSQL, on which every statement of a writing transaction can be struck: whoever sent it is
 * killed, its connection breaks, or all of its connections do; before the statement arrives, or when it is done and before
 * its answer arrives, or soon after.
 */
export class Wire implements AsyncDisposable {
  readonly #url: URL
  readonly #server: Server
  readonly #faults: ArmedFaults
  readonly #lines = new Set<Line>()
  readonly events: WireEvents
  /** How long every commit takes to arrive. */
  commit_ms = 0

  private constructor(database: string, server: Server, faults: ArmedFaults, events: WireEvents) {
    this.#url = new URL(database)
    this.#server = server
    this.#faults = faults
    this.events = events
  }

  /**
   * Of several wires with the same faults, the one on which the point is first come to is struck. Throws for a database that is to
   * be reached over TLS: nobody could tell the statements apart.
   */
  static async lay(database: string, faults: ArmedFaults, events: WireEvents): Promise<Wire> {
    const sslmode = new URL(database).searchParams.get('sslmode')
    if (sslmode !== null && sslmode !== 'disable')
      throw new Error(`cannot strike statements over TLS: sslmode=${sslmode}`)
    const server = createServer()
    const wire = new Wire(database, server, faults, events)
    server.on('connection', (socket) => wire.#connect(socket))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return wire
  }

  /** The database, as it is reached over this wire. */
  get database(): string {
    const url = new URL(this.#url)
    const address = this.#server.address()
    url.host = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
    return url.href
  }

  strikes(sql: string): Fault | undefined {
    return this.#faults.strike(sql)
  }

  /** Does what a fault does where it strikes, on a connection. */
  suffer({ effect }: Fault, line: Line): void {
    if (effect.startsWith('kill')) this.events.onKill()
    if (effect.startsWith('fail')) line.cut()
    else this.cut()
  }

  /** Breaks every connection. */
  cut(): void {
    for (const line of this.#lines) line.cut()
  }

  #connect(client: Socket): void {
    const line = new Line(
      client,
      connect({ host: this.#url.hostname.replace(/^\[|\]$/g, ''), port: Number(this.#url.port || PORT) }),
      this,
    )
    this.#lines.add(line)
    void line.carry().finally(() => this.#lines.delete(line))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }
}

/** A statement that is on its way, until the server says that it is ready for the next. */
interface Sent {
  /** Whether it ends a writing transaction. */
  readonly isCommit: boolean
  /** What strikes when it is done. */
  readonly fault: Fault | undefined
}

/** What a connection begins with is answered, too. */
const GREETING: Sent = { isCommit: false, fault: undefined }

/** One connection. */
class Line {
  readonly #client: Socket
  readonly #server: Socket
  readonly #wire: Wire
  readonly #prepared = new Map<string, string>()
  /** In the order in which they are answered. */
  readonly #sent: Sent[] = [GREETING]
  /** The statement that the next message of type S, a `Sync`, ends. */
  #bound: Sent = GREETING
  #isWriting = false
  /** What the server called the last thing that it did. */
  #done = ''

  constructor(client: Socket, server: Socket, wire: Wire) {
    this.#client = client
    this.#server = server
    this.#wire = wire
    for (const socket of [client, server]) socket.setNoDelay().on('error', () => this.cut())
  }

  /** Until one of both ends closes. */
  async carry(): Promise<void> {
    await Promise.all([
      this.#each(this.#client, new Frames('client'), (frame) => this.#forward(frame)),
      this.#each(this.#server, new Frames('server'), (frame) => this.#back(frame)),
    ])
    this.cut()
  }

  cut(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  /** Whatever had left one end when it closed arrives at the other. */
  async #each(from: Socket, frames: Frames, take: (frame: Frame) => void | Promise<void>): Promise<void> {
    try {
      for await (const chunk of from) for (const frame of frames.take(chunk as Buffer)) await take(frame)
    } catch {
      // It was cut.
    }
    for (const socket of [this.#client, this.#server]) socket.end()
  }

  async #forward(frame: Frame): Promise<void> {
    const sql = this.#statementOf(frame)
    if (sql !== undefined && BEGINS_WRITING.test(sql)) this.#isWriting = true
    const isCommit = this.#isWriting && sql === 'COMMIT'
    const fault = sql === undefined ? undefined : this.#strike(sql)
    if (sql === 'COMMIT' || sql === 'ROLLBACK') this.#isWriting = false
    if (isCommit && this.#wire.commit_ms > 0) await wait(this.#wire.commit_ms)
    if (fault?.effect.endsWith('before')) return this.#wire.suffer(fault, this)
    if (frame.type === 'B') this.#bound = { isCommit, fault }
    if (frame.type === 'Q') this.#sent.push({ isCommit, fault })
    if (frame.type === 'S') this.#sent.push(this.#bound)
    this.#server.write(frame.bytes)
  }

  async #back(frame: Frame): Promise<void> {
    const [first] = this.#sent
    if (frame.type === 'C') this.#done = textsOf(frame, 1)[0] ?? ''
    if (frame.type === 'Z') {
      this.#sent.shift()
      if (first?.isCommit && this.#done === 'COMMIT') this.#wire.events.onCommit()
    }
    const fault = first?.fault
    if (fault === undefined || isHeard(fault)) this.#client.write(frame.bytes)
    if (fault === undefined || frame.type !== 'Z') return
    if (isHeard(fault)) await wait(fault.left * HEARD_MS_MAX)
    this.#wire.suffer(fault, this)
  }

  /** The statement that a message has the server run; of one that was prepared before, the message tells the name. */
  #statementOf(frame: Frame): string | undefined {
    if (frame.type === 'Q') return textsOf(frame, 1)[0]?.trim()
    if (frame.type === 'P') {
      const [name = '', sql = ''] = textsOf(frame, 2)
      this.#prepared.set(name, sql)
    }
    return frame.type === 'B' ? this.#prepared.get(textsOf(frame, 2)[1] ?? '') : undefined
  }

  /** Only those who write are struck; a transaction is rolled back without a fault, since it is over in any case. */
  #strike(sql: string): Fault | undefined {
    return this.#isWriting && sql !== 'ROLLBACK' ? this.#wire.strikes(sql) : undefined
  }
}

/** Whether an answer arrives, after which whoever waited for it is killed, at the latest when it tells others. */
function isHeard({ effect, left }: Fault): boolean {
  return effect === 'kill after' && left > 0
}
