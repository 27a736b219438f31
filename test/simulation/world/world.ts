import { sqliteStoreOn } from '../../../src/store/sqlite/store.ts'
import { StoreUnavailableError } from '../../../src/store/store.ts'
import { TemporaryFolder } from '../../temporary-folder.ts'
import { checkCounted, checkVerified } from '../model/check.ts'
import { Expected } from '../model/expected.ts'
import { Violation } from '../model/violation.ts'
import { RESUMED_ACTS, SETTLED_ACTS } from '../people/administrator.ts'
import { furnish } from '../people/furnish.ts'
import { head, refuseUncommitted, Sender } from '../people/sender.ts'
import type { Fault } from '../plan/fault.ts'
import type { Question } from '../plan/question.ts'
import type { Act, History, Step } from '../plan/step.ts'
import type { Outcome, Worlds } from '../simulate.ts'
import { VirtualTime } from '../time.ts'
import { command } from './command.ts'
import { Disk, makeEmptyDatabase } from './disk.ts'
import { SimulatedServer } from './server.ts'

/** By then a server without faults has caught up with whatever an administrator did. */
const SETTLED_AFTER_MS = 180_000

/** How soon a server is started again that could not start. */
const RESTART_EVERY_MS = 1000

/** What a group may fail for: the faults that are played. Anything else is a mistake of the code. */
const PLAYED_FAILURE = /DiskFailure|the disk fails|the disk is full|another program holds it/

/** After a sync that failed nothing is written any more, until somebody starts the machine again. */
const UNSYNCED = /DiskFailure: SYNC/
const RESTARTED_AFTER_MS = 10_000

/** Something that was committed, and where its commit ends in the log. */
interface Deed {
  readonly log_bytes: number
  readonly apply: (expected: Expected) => void
  /** Whether somebody was told that it is done. */
  isPromised: boolean
}

/** Opens what plays histories on SQLite, with one server. */
export async function openSqliteWorlds(): Promise<Worlds> {
  const folder = new TemporaryFolder()
  const empty = await makeEmptyDatabase(folder)
  const dispose = async () => folder[Symbol.dispose]()
  return { plays: 1, options: '', play: (history) => play(history, empty), [Symbol.asyncDispose]: dispose }
}

/** Lets a history happen to the real ledger and to the naive one, and holds them against each other. */
async function play(history: History, empty_database: string): Promise<Outcome> {
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
  #expected: Expected
  /** What the expectation is made of, so that it can be made anew without what a power cut took. */
  #deeds: Deed[] = []
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
    {
      await using store = sqliteStoreOn(this.#disk.open(), this.#disk.log())
      await furnish(store, this.#history)
    }
    await this.#start()
    for (const step of this.#history.steps) {
      this.#time.at(step.at_ms, () => this.#take(step))
      await this.#time.runUntil(Math.max(step.at_ms, this.#time.now_ms))
      this.#refuseMistake()
    }
    await this.#time.runUntil(Infinity)
    await this.#check([])
    this.#refuseMistake()
    refuseUncommitted(this.#history, (body) => this.#expected.isCommitted(body))
  }

  tally(): Omit<Outcome, 'failure'> {
    return { virtual_ms: this.#time.now_ms - this.#history.start_ms, kills: this.#killed.length }
  }

  async close(): Promise<void> {
    this.#holding?.[Symbol.dispose]()
    for (const server of [...this.#killed, this.#server]) await server?.close()
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
    if (SETTLED_ACTS.includes(act.kind)) await this.#settle()
    const now_ms = this.#now_ms()
    let deed: Deed | undefined
    const end = await command(act, fault, {
      disk: this.#disk,
      now_ms: () => now_ms,
      pages: this.#pages,
      isRefused: this.#expected.refuses(act),
      onCommit: () => {
        deed = this.#do((expected) => expected.commitAct(act, now_ms))
      },
      onPowerCut: (left) => this.#cutPower(left),
    })
    if (end === 'done' && deed !== undefined) deed.isPromised = true
    if (end === 'interrupted' && fault !== undefined && RESUMED_ACTS.includes(act.kind)) await this.#act(act, undefined)
  }

  async #check(questions: readonly Question[]): Promise<void> {
    await this.#settle()
    this.#refuseMistake()
    if (this.#server === undefined) throw new Violation('there is no server, though nothing keeps one from running')
    this.#refuseLost()
    await checkCounted(this.#server, this.#expected, questions, this.#now_ms())
  }

  /** Ends every fault, and waits until the server has caught up. */
  async #settle(): Promise<void> {
    this.#server?.connection.disarm()
    this.#holding?.[Symbol.dispose]()
    this.#limitPages(undefined)
    this.#commit_ms = 0
    // A server that a sync failed for is put down only some moments after.
    do {
      if (this.#server === undefined) await this.#start()
      await this.#time.runUntil(this.#time.now_ms + SETTLED_AFTER_MS)
    } while (this.#server === undefined)
    this.#do((expected) => expected.claim())
  }

  async #start(): Promise<void> {
    const now_ms = this.#now_ms()
    this.#do((expected) => expected.dropForgotten(now_ms))
    const server: SimulatedServer = await SimulatedServer.start({
      time: this.#time,
      disk: this.#disk,
      now_ms: () => this.#now_ms(),
      commit_ms: () => this.#commit_ms,
      onCommit: (bodies, received_at) => this.#do((expected) => expected.commitBodies(bodies, received_at)),
      onFailure: (reason) => {
        if (!PLAYED_FAILURE.test(reason)) this.#note(new Violation(`the writer failed: ${reason}`))
        if (UNSYNCED.test(reason))
          this.#time.after(RESTARTED_AFTER_MS, () => server === this.#server && this.#cutPower(0))
      },
      onKill: (left) => (left === undefined ? this.#kill(server, this.#down_ms) : this.#cutPower(left)),
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
      if (!(error instanceof StoreUnavailableError)) throw error
      this.#time.after(RESTART_EVERY_MS, () => this.#restart())
    }
  }

  /** Notes what is committed this very moment. */
  #do(apply: Deed['apply']): Deed {
    const deed = { log_bytes: this.#disk.log_bytes, apply, isPromised: false }
    this.#deeds.push(deed)
    apply(this.#expected)
    return deed
  }

  /** The server is killed this very moment: what is written now is what the next one finds. */
  #kill(server: SimulatedServer, down_ms: number): void {
    if (server !== this.#server) return
    this.#disk.keepWritten()
    this.#bury(down_ms)
  }

  /** All processes end this very moment, and what was not synced is lost, or a part of it. */
  #cutPower(left: number): void {
    const log_bytes = this.#disk.keepSynced(left)
    const lost = this.#deeds.filter((deed) => deed.log_bytes > log_bytes)
    if (lost.some(({ isPromised }) => isPromised)) this.#note(new Violation('an act that was done is lost'))
    this.#deeds = this.#deeds.filter((deed) => deed.log_bytes <= log_bytes)
    this.#expected = new Expected(this.#history.time_zones)
    for (const { apply } of this.#deeds) apply(this.#expected)
    this.#bury(this.#down_ms)
  }

  #bury(down_ms: number): void {
    if (this.#server === undefined) return
    this.#server.stop()
    this.#killed.push(this.#server)
    this.#server = undefined
    this.#time.after(down_ms, () => this.#restart())
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

  #refuseLost(): void {
    for (const body of this.#sender.answered) {
      if (!this.#expected.isCommitted(body)) throw new Violation(`answered 200 and lost: ${head(body)}`)
    }
  }
}
