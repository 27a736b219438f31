import type { DatabaseSync } from 'node:sqlite'
import { answer, type GraphDoor } from '../../../src/graph/answer.ts'
import { Directory } from '../../../src/graph/directory.ts'
import { answerErrand, type ErrandDesk } from '../../../src/graph/errand.ts'
import { CATCH_UP_EVERY_MS, Committer } from '../../../src/ingest/committer.ts'
import { answerWebhook } from '../../../src/ingest/door.ts'
import { bodiesOf, type Group, parseGroup } from '../../../src/ingest/group.ts'
import { confirmHashKey, KeyedPseudonyms } from '../../../src/ingest/pseudonym.ts'
import { formatSignature } from '../../../src/ingest/signature.ts'
import { type ThreadEvents, Writer, type WriterThread } from '../../../src/ingest/writer.ts'
import { sqliteStoreOn } from '../../../src/store/sqlite/store.ts'
import type { Store } from '../../../src/store/store.ts'
import { noteWorld } from '../../../src/store/world.ts'
import { APP_SECRET, HASH_KEY } from '../../open.ts'
import { turn, type VirtualTime } from '../time.ts'
import { Connection, SYNC } from './connection.ts'
import { type Disk, limitPages } from './disk.ts'

/** A sync takes as long as so many commits, so that the next group is committed, or fails, meanwhile. */
const SYNC_COMMITS = 3

const PSEUDONYMS = new KeyedPseudonyms(HASH_KEY)

/** What a server is told of the world, and tells it. */
export interface ServerWorld {
  readonly time: VirtualTime
  readonly disk: Disk
  /** What the server's clock shows. */
  readonly now_ms: () => number
  /** How long a group waits to be committed; to be synced, it waits longer. */
  readonly commit_ms: () => number
  /** A group is committed; it is neither synced nor answered yet. */
  readonly onCommit: (bodies: readonly string[], received_at: number) => void
  /** A group, or a step of catching up, could not be committed. */
  readonly onFailure: (reason: string) => void
  /** The process is being killed, or, where it is said what is left, the power is cut. */
  readonly onKill: (left: number | undefined) => void
  /** Something that must not happen. */
  readonly onMistake: (cause: unknown) => void
}

/**
 * A server as `server.ts` wires it, but for the listener and the threads: requests come as values, the writer's thread
 * is played on virtual time, and its connection can be struck by faults.
 */
export class SimulatedServer {
  readonly connection: Connection
  readonly page_news_ms = 0
  readonly #world: ServerWorld
  readonly #main: Store
  /** The writer's. */
  readonly #db: DatabaseSync
  readonly #writing: Store
  readonly #writer: Writer
  readonly #graph: GraphDoor
  readonly #ticking: Disposable
  readonly #gone = Promise.withResolvers<undefined>()
  /** What the writer's thread commits now. */
  #group: Group | undefined
  /** A sync has failed. Later ones say that all is well, and sync nothing: so do some systems. */
  #isUnsynced = false
  #isRunning = true

  static async start(world: ServerWorld): Promise<SimulatedServer> {
    await using parts = new AsyncDisposableStack()
    const main = parts.use(sqliteStoreOn(world.disk.open(), world.disk.log()))
    await confirmHashKey(main, HASH_KEY)
    await main.write(({ registry }) => registry.removeForgotten(world.now_ms()))
    await noteWorld(main, 'the same')
    parts.move()
    return new SimulatedServer(world, main)
  }

  private constructor(world: ServerWorld, main: Store) {
    this.#world = world
    this.#main = main
    this.connection = new Connection({ onCommit: () => this.#noteCommit(), onKill: (left) => this.#kill(left) })
    this.#db = world.disk.open()
    const log = { sync: () => this.#sync(), [Symbol.asyncDispose]: async () => {} }
    this.#writing = sqliteStoreOn(this.connection.over(this.#db), log)
    const committer = new Committer(this.#writing, world.now_ms())
    this.#ticking = world.time.every(CATCH_UP_EVERY_MS, () => void this.#catchUp(committer))
    const clock = { now_ms: world.now_ms, after: (ms: number, act: () => void) => this.#after(ms, act) }
    this.#writer = new Writer((told) => this.#openThread(committer, told), clock, {
      onTaken: () => {},
      onFailure: world.onFailure,
      onNotCaughtUp: world.onFailure,
      onDeath: world.onMistake,
    })
    this.#graph = this.#openGraph()
  }

  get store(): Store {
    return this.#main
  }

  /** Lets the database grow by so many pages, or as it likes. */
  limitPages(pages: number | undefined): void {
    limitPages(this.#db, pages)
  }

  /** Posts a webhook: the status of the answer, or `undefined` where the connection ended without one. */
  async post(body: string): Promise<number | undefined> {
    const bytes = Buffer.from(body)
    const headers = { 'x-hub-signature-256': formatSignature(bytes, APP_SECRET) }
    const submit = (one: Uint8Array) => this.#writer.submit(one)
    const door = { app_secrets: [APP_SECRET], verify_token: undefined, submit }
    const answered = answerWebhook({ method: 'POST', query: '', headers, body: bytes }, door)
    return (await Promise.race([answered, this.#gone.promise]))?.status
  }

  /** Asks the Graph door; the status and the JSON of its answer. */
  async get(path: string, query: string): Promise<{ status: number; json: unknown }> {
    const request = { method: 'GET', path, query, headers: {}, body: undefined, base_url: 'http://readout' }
    const { status, body } = await answer(request, this.#graph)
    return { status, json: JSON.parse(body) }
  }

  /** Ends what it was doing, as it is. */
  stop(): void {
    this.#isRunning = false
    this.#ticking[Symbol.dispose]()
    this.#gone.resolve(undefined)
  }

  /** Lets go of the file, killed or not. */
  async close(): Promise<void> {
    this.stop()
    await this.#main[Symbol.asyncDispose]()
    await this.#writing[Symbol.asyncDispose]()
  }

  /** A thread that takes its groups one after another, and the next one while those before are synced. */
  #openThread(committer: Committer, { onMessage }: ThreadEvents): WriterThread {
    let free_ms = 0
    const take = async (group: Group) => {
      this.#group = group
      const taking = committer
        .take(parseGroup(group, PSEUDONYMS))
        .then((message) => this.#isRunning && onMessage(message))
      taking.catch(this.#world.onMistake)
      // By then the transaction has ended; the sync may take longer.
      await turn()
      this.#group = undefined
    }
    const post = (group: Group) => {
      free_ms = Math.max(free_ms, this.#world.time.now_ms) + this.#world.commit_ms()
      this.#at(free_ms, () => take(group))
    }
    return { post, [Symbol.asyncDispose]: () => this.#writing[Symbol.asyncDispose]() }
  }

  /** A sync of the writer's log, which takes its time; a fault may strike at its end. */
  async #sync(): Promise<void> {
    const end = this.#world.disk.beginSync()
    const sync_ms = SYNC_COMMITS * this.#world.commit_ms()
    if (sync_ms > 0) {
      const over = new Promise<undefined>((resolve) => this.#after(sync_ms, () => resolve(undefined)))
      await Promise.race([over, this.#gone.promise])
    }
    try {
      this.connection.run(SYNC, this.#isUnsynced ? () => {} : end)
    } catch (error) {
      this.#isUnsynced = true
      throw error
    }
  }

  async #catchUp(committer: Committer): Promise<void> {
    try {
      await committer.catchUp(() => new Promise<void>((resolve) => this.#after(1, resolve)))
    } catch (error) {
      if (this.#isRunning) this.#world.onFailure(String(error))
    }
  }

  #openGraph(): GraphDoor {
    const { now_ms, onMistake } = this.#world
    const stores = { reading: this.#main, writing: this.#main, directory: new Directory() }
    const desk: ErrandDesk = { ...stores, meta_history_limit: false, onObject: async () => {} }
    return {
      store: this.#main,
      directory: new Directory(),
      now: () => Temporal.Instant.fromEpochMilliseconds(now_ms()),
      meta_history_limit: false,
      deputy: { answer: (errand) => answerErrand(errand, desk) },
      reporter: { order: () => Promise.reject(new Error('no report is asked for here')) },
      newRunId: () => '0',
      newTraceId: () => 'trace',
      app_secrets: [],
      require_appsecret_proof: false,
      request_limit: undefined,
      onRefusal: () => {},
      onFailure: onMistake,
    }
  }

  #after(ms: number, act: () => unknown): void {
    this.#at(this.#world.time.now_ms + ms, act)
  }

  /** What a server was going to do, nobody does when it was killed. */
  #at(due_ms: number, act: () => unknown): void {
    this.#world.time.at(due_ms, () => (this.#isRunning ? act() : undefined))
  }

  #noteCommit(): void {
    this.#world.disk.noteCommit()
    if (this.#group === undefined) return
    const bodies = bodiesOf(this.#group).map((body) => Buffer.from(body).toString())
    this.#world.onCommit(bodies, this.#group.received_at)
  }

  #kill(left: number | undefined): void {
    this.stop()
    this.#world.onKill(left)
  }
}
