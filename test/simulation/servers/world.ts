import { setTimeout as wait } from 'node:timers/promises'
import { Random } from '../../../src/sandbox/random.ts'
import { openStore } from '../../../src/store/open.ts'
import { type Store, StoreUnavailableError } from '../../../src/store/store.ts'
import type { Schemas } from '../../contract/schemas.ts'
import { TemporaryFolder } from '../../temporary-folder.ts'
import { ArmedFaults } from '../armed-faults.ts'
import { checkCounted, checkVerified, parkedLines, waitingLines } from '../model/check.ts'
import { Expected } from '../model/expected.ts'
import { checkSame, Violation } from '../model/violation.ts'
import { administer, RESUMED_ACTS, SETTLED_ACTS } from '../people/administrator.ts'
import { furnish } from '../people/furnish.ts'
import { refuseUncommitted, Sender } from '../people/sender.ts'
import type { Fault } from '../plan/fault.ts'
import type { Question } from '../plan/question.ts'
import type { Act, History, Step } from '../plan/step.ts'
import type { Outcome, Worlds } from '../simulate.ts'
import { turn, VirtualTime } from '../time.ts'
import { WallClock } from './clock.ts'
import { Fleet } from './fleet.ts'
import { Host } from './host.ts'
import { isOrdered, splitWebhooks, takeMoment } from './moment.ts'
import { UnderWay } from './under-way.ts'
import { SYNC, Wire } from './wire.ts'

/** Steps that happen at once. */
const MOMENT_STEPS_MAX = 24

/** A page's last event is known to the minute on PostgreSQL. */
const PAGE_NEWS_MS = 60_000

/** Of real time: how long a server stands still, another program writes, and a slow commit takes. */
const STILL_MS_MAX = 300
const HELD_MS_MAX = 200
const COMMIT_MS_MAX = 50

/** Servers look every two seconds whether there is something to catch up with. */
const CAUGHT_UP_MS_MAX = 30_000
const POLL_MS = 20

/** How often a history is played: which server comes first is for the machine to say. */
const PLAYS = 3

/** What statements may fail for where faults are played. Two that wait for each other are none. */
const PLAYED_FAILURE = /it cannot be reached|the connection broke|it is shutting down|does not let go/

/** Opens what plays histories on so many servers on one PostgreSQL, each history in a schema of its own. */
export function openServersWorlds(schemas: Schemas, servers: number, options: string): Worlds {
  const parts = new DisposableStack()
  const folder = parts.use(new TemporaryFolder())
  const clock = parts.use(WallClock.hang(folder.file('clock')))
  const hosts: Host[] = []
  const play = async (history: History): Promise<Outcome> => {
    await using schema = await schemas.make()
    const world = new World(history, schema.name, { clock, folder, servers, hosts })
    return await world.play()
  }
  const dispose = async () => {
    await Promise.all(hosts.map((host) => host.kill()))
    parts.dispose()
  }
  return { plays: PLAYS, options, play, [Symbol.asyncDispose]: dispose }
}

/** What one world after another is made of. */
interface Surroundings {
  readonly clock: WallClock
  readonly folder: TemporaryFolder
  readonly servers: number
  /** Processes in which nothing is open. */
  readonly hosts: Host[]
}

/**
 * Lets a history happen to several real servers, and holds them against the naive ledger. What happens at once does so in a moment at
 * which the clock stands still; the next one begins when all of it is over.
 */
class World {
  readonly #history: History
  readonly #database: string
  readonly #around: Surroundings
  readonly #random: Random
  readonly #time: VirtualTime
  readonly #expected: Expected
  readonly #sender: Sender
  readonly #underWay = new UnderWay()
  readonly #fleet: Fleet
  #store!: Store
  /** Acts come one after another: there is one administrator. */
  #acts: Promise<void> = Promise.resolve()
  /** What stands between everybody's clock and the time. */
  #off_ms = 0

  constructor(history: History, database: string, around: Surroundings) {
    this.#random = new Random(history.seed, 1)
    this.#history = splitWebhooks(history, this.#random)
    this.#database = database
    this.#around = around
    this.#time = new VirtualTime(history.start_ms)
    this.#expected = new Expected(history.time_zones)
    this.#fleet = this.#openFleet()
    this.#sender = new Sender({
      time: this.#time,
      server: () => this.#fleet,
      isCommitted: (body) => this.#expected.isCommitted(body),
      onMistake: (cause) => this.#underWay.note(cause),
    })
  }

  async play(): Promise<Outcome> {
    await using store = await openStore(this.#database)
    this.#store = store
    const failure = await this.#happen().then(
      () => undefined,
      (cause: unknown) => (cause instanceof Error ? cause : new Error(String(cause))),
    )
    if (failure !== undefined) await this.#fleet.abandon()
    return { failure, virtual_ms: this.#time.now_ms - this.#history.start_ms, kills: this.#fleet.kills }
  }

  async #happen(): Promise<void> {
    const { start_ms, steps } = this.#history
    this.#setClock(start_ms)
    await furnish(this.#store, this.#history)
    await this.#end(this.#fleet.start(this.#database, this.#around.servers))
    for (let left = steps; left.length > 0; ) {
      const size = this.#random.integer(1, MOMENT_STEPS_MAX)
      const moment = takeMoment(left, size, this.#expected)
      await this.#live(moment)
      left = left.slice(moment.length)
    }
    await this.#restore()
    for (let next = this.#time.next_ms; next !== undefined; next = this.#time.next_ms) await this.#passUntil(next)
    await this.#check([])
    refuseUncommitted(this.#history, (body) => this.#expected.isCommitted(body))
    await this.#end(this.#close())
  }

  #openFleet(): Fleet {
    const { hosts, clock, folder } = this.#around
    return new Fleet({
      random: this.#random,
      underWay: this.#underWay,
      takeHost: () => hosts.pop() ?? new Host(clock.file, folder.file('compiled')),
      onStart: () => this.#expected.dropForgotten(clock.now_ms),
      onRestarted: () => this.#underWay.begin(checkVerified({ store: this.#store })),
      onKill: (down_ms, restart) => this.#time.after(down_ms, restart),
      onTaken: (body) => this.#expected.commitBodies([body], clock.now_ms),
      onFailure: (line) => {
        if (!PLAYED_FAILURE.test(line)) this.#underWay.note(new Violation(`a server failed: ${line}`))
      },
    })
  }

  async #close(): Promise<void> {
    this.#around.hosts.push(...(await this.#fleet.close()))
  }

  /** Waits for the end of something, and of all that it begins. */
  async #end(task: Promise<unknown>): Promise<void> {
    this.#underWay.begin(task)
    await this.#underWay.quiet()
  }

  /** Lets some steps happen at once. */
  async #live(moment: readonly Step[]): Promise<void> {
    const until_ms = Math.max(this.#time.now_ms, moment.at(-1)?.at_ms ?? 0)
    const ordered = moment.some((step) => step.kind === 'act' && isOrdered(step.act))
    // What comes again must not meet an act that it has to come before, or after.
    for (let pass = ordered; pass; pass = (this.#time.next_ms ?? Infinity) <= until_ms) await this.#passUntil(until_ms)
    if (moment.some((step) => step.kind === 'act' && SETTLED_ACTS.includes(step.act.kind))) await this.#catchUp()
    const [first] = moment
    if (first?.kind === 'clock') this.#off_ms = first.off_ms
    for (const step of moment) this.#time.at(step.at_ms, () => this.#take(step))
    await this.#passUntil(until_ms)
    if (first?.kind === 'check') await this.#check(first.questions)
  }

  #take(step: Step): unknown {
    switch (step.kind) {
      case 'webhook':
        return this.#sender.send(step)
      case 'garbage':
        return this.#sender.sendGarbage(step.text)
      case 'act':
        this.#acts = this.#acts.then(() => this.#act(step.act, step.fault))
        return this.#underWay.begin(this.#acts)
      case 'fault':
        return this.#fleet.arm(step.fault, step.down_ms)
      // A disk that is full is the database's own matter; here, a server stands still.
      case 'full':
        return this.#fleet.pause(this.#random.integer(1, STILL_MS_MAX))
      case 'slow':
        this.#fleet.slow(this.#random.integer(1, COMMIT_MS_MAX))
        return this.#time.after(step.for_ms, () => this.#fleet.slow(0))
      case 'held':
        return this.#hold(this.#random.integer(1, HELD_MS_MAX))
      case 'verify':
        return this.#underWay.begin(checkVerified({ store: this.#store }))
      case 'clock':
      case 'check':
        return
    }
  }

  #hold(ms: number): void {
    this.#underWay.begin(this.#store.write(() => wait(ms)))
  }

  async #act(act: Act, fault: Fault | undefined): Promise<void> {
    const now_ms = this.#around.clock.now_ms
    await using wires = new AsyncDisposableStack()
    const end = await administer(act, {
      now_ms: () => now_ms,
      file: (name) => this.#around.folder.file(name),
      open: async (onCommit) => {
        const faults = new ArmedFaults(SYNC)
        const wire = wires.use(await Wire.lay(this.#database, faults, { onCommit, onKill: () => {} }))
        const store = await openStore(wire.database)
        if (fault !== undefined) faults.arm(fault)
        return store
      },
      isRefused: this.#expected.refuses(act),
      isPlayed: (error) => error instanceof StoreUnavailableError && PLAYED_FAILURE.test(error.message),
      onCommit: () => this.#expected.commitAct(act, now_ms),
    })
    if (end === 'interrupted' && RESUMED_ACTS.includes(act.kind)) await this.#act(act, undefined)
  }

  async #check(questions: readonly Question[]): Promise<void> {
    await this.#restore()
    await this.#catchUp()
    const get = (path: string, query: string) => this.#fleet.get(path, query)
    const checked = { store: this.#store, get, page_news_ms: PAGE_NEWS_MS }
    await this.#end(checkCounted(checked, this.#expected, questions, this.#around.clock.now_ms))
  }

  /** Ends every fault: all servers are up, and nothing is under way. */
  async #restore(): Promise<void> {
    await this.#underWay.quiet()
    await this.#end(this.#fleet.restore())
  }

  /** Waits until the servers have done what acts have left to do. */
  async #catchUp(): Promise<void> {
    this.#expected.claim()
    const late_ms = performance.now() + CAUGHT_UP_MS_MAX
    for (;;) {
      await this.#end(this.#fleet.keepOne())
      const ads = await this.#store.threads.countUnresolvedAds()
      const [left, waiting] = [await parkedLines(this.#store), waitingLines(this.#expected)]
      if (ads === 0 && left.join() === waiting.join()) return
      if (performance.now() > late_ms) return checkSame('left', [`${ads} ads`, ...left], ['0 ads', ...waiting])
      await wait(POLL_MS)
    }
  }

  /** Lets happen what is due until then, all at once, and waits until it is over. */
  async #passUntil(until_ms: number): Promise<void> {
    this.#setClock(until_ms)
    await this.#time.runUntil(until_ms)
    await this.#underWay.quiet()
    await turn()
  }

  #setClock(now_ms: number): void {
    this.#around.clock.set(now_ms + this.#off_ms)
  }
}
