import { formatWebhook } from '../../src/sandbox/event.ts'
import { sqliteStoreOn } from '../../src/store/sqlite/store.ts'
import { StoreBusyError } from '../../src/store/store.ts'
import { hashToken } from '../../src/store/tokens.ts'
import { administer } from './administrator.ts'
import { checkCounted, checkVerified } from './check.ts'
import type { Fault } from './connection.ts'
import { Disk } from './disk.ts'
import { Expected } from './expected.ts'
import type { Question } from './question.ts'
import { Sender } from './sender.ts'
import { SimulatedServer, TOKEN } from './server.ts'
import type { Act, History, Step } from './step.ts'
import { VirtualTime } from './time.ts'
import { ACCOUNTS, REGISTERED_ADS, REGISTERED_IN } from './universe.ts'
import { Violation } from './violation.ts'

/** By then a server without faults has caught up with whatever an administrator did. */
const SETTLED_AFTER_MS = 60_000

/** How soon a server is started again that could not start. */
const RESTART_EVERY_MS = 1000

/** What a group may fail for: the faults that are played. Anything else is a mistake of the code. */
const PLAYED_FAILURE = /disk I\/O error at |database or disk is full|another program has held/

/** What a history came to. */
export interface Outcome {
  /** What was not as it must be, if anything was. */
  readonly failure: Error | undefined
  readonly virtual_ms: number
  /** Counted at the end, repeats included. */
  readonly facts: number
  readonly kills: number
}

/** Lets a history happen to the real ledger and to the naive one, and holds them against each other. */
export async function play(history: History, empty_database: string): Promise<Outcome> {
  using disk = new Disk(empty_database)
  const world = new World(history, disk)
  const failure = await world.play().then(
    () => undefined,
    (cause: unknown) => (cause instanceof Error ? cause : new Error(String(cause))),
  )
  await world.close()
  return { failure, ...world.tally() }
}

class World {
  readonly #history: History
  readonly #disk: Disk
  readonly #time: VirtualTime
  readonly #expected: Expected
  readonly #sender: Sender
  #server: SimulatedServer | undefined
  readonly #killed: SimulatedServer[] = []
  #mistake: unknown
  /** What stands between the server's clock and the time. */
  #off_ms = 0
  #commit_ms = 0
  #pages: number | undefined
  #down_ms = 0
  #holding: Disposable | undefined

  constructor(history: History, disk: Disk) {
    this.#history = history
    this.#disk = disk
    this.#time = new VirtualTime(history.start_ms)
    this.#expected = new Expected(history.time_zones)
    this.#sender = new Sender({
      time: this.#time,
      server: () => this.#server,
      isCommitted: (body) => this.#expected.isCommitted(body),
      onMistake: (cause) => this.#note(cause),
    })
  }

  async play(): Promise<void> {
    await this.#furnish()
    await this.#start()
    for (const step of this.#history.steps) {
      this.#time.at(step.at_ms, () => this.#take(step))
      await this.#time.runUntil(Math.max(step.at_ms, this.#time.now_ms))
      this.#refuseMistake()
    }
    await this.#time.runUntil(Infinity)
    await this.#check([])
    this.#refuseUncommitted()
  }

  tally(): Omit<Outcome, 'failure'> {
    const virtual_ms = this.#time.now_ms - this.#history.start_ms
    return { virtual_ms, facts: this.#expected.facts.length, kills: this.#killed.length }
  }

  async close(): Promise<void> {
    this.#holding?.[Symbol.dispose]()
    for (const server of [...this.#killed, this.#server]) await server?.close()
  }

  /** Accounts, a campaign and a token, as an administrator leaves them for the first start. */
  async #furnish(): Promise<void> {
    await using store = sqliteStoreOn(this.#disk.open(), 0)
    await store.write(async ({ registry, tokens }) => {
      const numbers = new Map<string, number>()
      for (const [i, fields] of ACCOUNTS.entries()) {
        const time_zone = this.#history.time_zones[i] ?? 'UTC'
        numbers.set(fields.account_id, (await registry.addAccount({ ...fields, time_zone })).account)
      }
      for (const ad of REGISTERED_ADS) await registry.addAd({ ...ad, account: numbers.get(REGISTERED_IN) ?? 0 })
      const token = { token_hash: hashToken(TOKEN), permission: 'read', created_at: 0 } as const
      await tokens.add({ ...token, accounts: new Set(numbers.values()) })
    })
  }

  async #take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'webhook':
        return this.#sender.send(step)
      case 'garbage':
        return this.#sender.sendGarbage(step.text)
      case 'act':
        return this.#act(step.act, step.fault)
      case 'fault':
        this.#down_ms = step.down_ms
        return this.#server?.connection.arm(step.fault)
      case 'full':
        this.#limitPages(step.pages)
        return this.#time.after(step.for_ms, () => this.#limitPages(undefined))
      case 'slow':
        this.#commit_ms = step.commit_ms
        return this.#time.after(step.for_ms, () => (this.#commit_ms = 0))
      case 'held':
        this.#hold()
        return this.#time.after(step.for_ms, () => this.#holding?.[Symbol.dispose]())
      case 'clock':
        this.#off_ms = step.off_ms
        return
      case 'verify':
        return this.#server && checkVerified(this.#server)
      case 'check':
        return this.#check(step.questions)
    }
  }

  async #act(act: Act, fault: Fault | undefined): Promise<void> {
    // Where facts are counted depends on what was caught up with before such an act; when that is, nobody promises.
    if (['claim', 'move', 'link', 'unlink'].includes(act.kind)) await this.#settle()
    const now_ms = this.#now_ms()
    const end = await administer(act, fault, {
      disk: this.#disk,
      now_ms: () => now_ms,
      isRefused: this.#expected.refuses(act),
      onCommit: () => this.#expected.commitAct(act, now_ms),
    })
    // Whoever sees that an import was interrupted calls it again, and it goes on.
    if (end === 'killed' && act.kind === 'import') await this.#act(act, undefined)
  }

  async #check(questions: readonly Question[]): Promise<void> {
    await this.#settle()
    this.#refuseMistake()
    if (this.#server === undefined) throw new Violation('there is no server, though nothing keeps one from running')
    await checkCounted(this.#server, this.#expected, questions, this.#now_ms())
  }

  /** Ends every fault, and waits until the server has caught up. */
  async #settle(): Promise<void> {
    this.#server?.connection.disarm()
    this.#holding?.[Symbol.dispose]()
    this.#limitPages(undefined)
    this.#commit_ms = 0
    if (this.#server === undefined) await this.#start()
    await this.#time.runUntil(this.#time.now_ms + SETTLED_AFTER_MS)
    this.#expected.claim()
  }

  async #start(): Promise<void> {
    this.#expected.dropForgotten(this.#now_ms())
    const server = await SimulatedServer.start({
      time: this.#time,
      disk: this.#disk,
      now_ms: () => this.#now_ms(),
      commit_ms: () => this.#commit_ms,
      onCommit: (bodies, received_at) => this.#expected.commitBodies(bodies, received_at),
      onFailure: (reason) => {
        if (!PLAYED_FAILURE.test(reason)) this.#note(new Violation(`the writer failed: ${reason}`))
      },
      onKill: () => this.#bury(),
      onMistake: (cause) => this.#note(cause),
    })
    server.limitPages(this.#pages)
    this.#server = server
  }

  /** Starts a server, again and again while another program keeps it from its first write. */
  async #restart(): Promise<void> {
    if (this.#server !== undefined) return
    try {
      await this.#start()
      if (this.#server !== undefined) await checkVerified(this.#server)
    } catch (error) {
      if (!(error instanceof StoreBusyError)) throw error
      this.#time.after(RESTART_EVERY_MS, () => this.#restart())
    }
  }

  /** The server is killed this very moment: what the disk has now is what the next one finds. */
  #bury(): void {
    this.#disk.cut()
    if (this.#server !== undefined) this.#killed.push(this.#server)
    this.#server = undefined
    this.#time.after(this.#down_ms, () => this.#restart())
  }

  #hold(): void {
    this.#holding?.[Symbol.dispose]()
    const db = this.#disk.open()
    db.exec('BEGIN IMMEDIATE')
    this.#holding = {
      [Symbol.dispose]: () => {
        if (db.isOpen) db.close()
      },
    }
  }

  #limitPages(pages: number | undefined): void {
    this.#pages = pages
    this.#server?.limitPages(pages)
  }

  #now_ms(): number {
    return this.#time.now_ms + this.#off_ms
  }

  #note(cause: unknown): void {
    this.#mistake ??= cause
  }

  #refuseMistake(): void {
    if (this.#mistake !== undefined) throw this.#mistake
  }

  /** No fault lasts as long as Meta tries, so in the end every webhook is there. */
  #refuseUncommitted(): void {
    this.#refuseMistake()
    for (const step of this.#history.steps) {
      if (step.kind !== 'webhook') continue
      const body = formatWebhook(step.events, step.clicks_in)
      if (!this.#expected.isCommitted(body)) throw new Violation(`never committed: ${body.slice(0, 500)}`)
    }
  }
}
