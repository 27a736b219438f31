import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { Random } from '../../src/sandbox/random.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { Serving, start } from '../command.ts'
import type { Schemas } from '../contract/schemas.ts'
import { APP_SECRET } from '../open.ts'
import { orderReports } from './answers.ts'
import {
  assertWhole,
  CAUGHT_UP_MS_MAX,
  type CrashPlace,
  type CrashRecord,
  databaseArgs,
  FACTS_AT_FIRST,
  FACTS_PER_LOAD_MAX,
  LEFT,
  noteKill,
  PHASES,
  type Phase,
  POLL_MS,
  UNDER_WAY,
} from './crash-loop.ts'
import { readPostgresLedger } from './ledger.ts'
import { Sender } from './sender.ts'
import { CrashWorld, worldEvents } from './world.ts'

/** From the phase's beginning to the kill, at most; reports begin when the first of their orders is answered. */
const KILL_AFTER_MS_MAX: Readonly<Record<Phase, number>> = {
  migration: 1500,
  start: 1500,
  'catch up': 400,
  load: 700,
  report: 200,
}

/** Several servers on one PostgreSQL, each world in a schema of its own, which is left where it fails. */
export function serversCrashes(schemas: Schemas, servers: number, options: string): CrashPlace {
  const run = async (seed: number, rounds: number, record: CrashRecord) => {
    const schema = await schemas.make()
    {
      await using world = await ServersRun.open(schema.name, seed, record)
      await world.run(rounds)
    }
    await schema[Symbol.asyncDispose]()
  }
  return { servers, options, run }
}

/** One world, from an empty schema, which all servers migrate at once, to the count of everything. */
class ServersRun implements AsyncDisposable {
  readonly #record: CrashRecord
  readonly #random: Random
  readonly #database: string
  readonly #world: CrashWorld
  readonly #sender: Sender
  readonly #client: pg.Client
  readonly #runs = new Set<string>()
  /** Those who listen. */
  readonly #servers = new Set<Serving>()

  private constructor(database: string, seed: number, record: CrashRecord) {
    this.#record = record
    this.#random = new Random(seed)
    this.#database = database
    this.#world = new CrashWorld(new Random(seed, 1))
    this.#sender = new Sender(new Random(seed, 2), worldEvents(seed, Date.now()))
    this.#client = new pg.Client({ connectionString: database })
  }

  static async open(database: string, seed: number, record: CrashRecord): Promise<ServersRun> {
    const run = new ServersRun(database, seed, record)
    await run.#client.connect()
    return run
  }

  async run(rounds: number): Promise<void> {
    const [first, ...others] = PHASES
    noteKill(this.#record, first, await this.#crashMigrating())
    for (const phase of this.#random.shuffle(others).slice(0, rounds - 1)) {
      noteKill(this.#record, phase, await this.#crash(phase))
    }
    await this.#count()
    this.#record.facts += this.#sender.told.length
    this.#record.reports += this.#runs.size
  }

  /** All of them find an empty schema, and one goes while it migrates, or waits for those who do. */
  async #crashMigrating(): Promise<boolean> {
    const others = Array.from({ length: this.#record.servers - 1 }, () => this.#start())
    const isInTheMidst = await this.#killStarting('migration')
    await Promise.all([...others, this.#start()])
    await this.#act((store) => this.#world.register(store))
    await this.#load(FACTS_AT_FIRST, Promise.resolve())
    return isInTheMidst
  }

  /** Kills a server while all of them work, tells whether it was in the midst of the phase, and starts it again. */
  async #crash(phase: Phase): Promise<boolean> {
    const server = this.#random.shuffle([...this.#servers])[0] as Serving
    if (phase === 'catch up') await this.#act((store) => this.#world.change(store))
    if (phase === 'start') await this.#kill(server)
    const orders = phase === 'report' ? orderReports(server.url) : []
    const cutOff = this.#sender.cutOff
    let isInTheMidst = false
    const killing = async () => {
      if (phase === 'start') isInTheMidst = await this.#killStarting('start')
      else {
        if (orders.length > 0) await Promise.race(orders)
        await this.#delay(phase)
        const query = UNDER_WAY[phase]
        isInTheMidst = query !== undefined && (await this.#read(query)) > 0
        await this.#kill(server)
      }
      await this.#start()
    }
    await this.#load(FACTS_PER_LOAD_MAX, killing())
    for (const run_id of await Promise.all(orders)) if (run_id !== undefined) this.#runs.add(run_id)
    const cut = this.#sender.cutOff - cutOff
    this.#record.webhooks_cut_off += cut
    return phase === 'load' ? cut > 0 : isInTheMidst
  }

  /** Sends until that is done, or so many facts are told. */
  async #load(facts: number, until: Promise<void>): Promise<void> {
    const stop = new AbortController()
    const isBounded = facts < FACTS_PER_LOAD_MAX
    const loading = this.#sender.load(() => this.#urls(), facts, stop.signal)
    const ending = until.finally(() => (isBounded ? undefined : stop.abort()))
    const [isThere] = await Promise.all([loading, ending])
    if (!isThere) throw new Error('a server has gone by itself')
  }

  /** Kills a server that starts; whether it did not listen yet. */
  async #killStarting(phase: Phase): Promise<boolean> {
    const server = start(this.#serve())
    let isListening = false
    server.stdout?.once('data', () => {
      isListening = true
    })
    const gone = once(server, 'exit')
    await this.#delay(phase)
    server.kill('SIGKILL')
    await gone
    return !isListening
  }

  /** What is counted of all servers alike: what one has committed, all know. */
  async #count(): Promise<void> {
    await this.#act((store) => this.#world.claimRest(store))
    await this.#sender.drain(() => this.#urls())
    await this.#catchUp()
    const ledger = await readPostgresLedger(this.#client)
    const url = this.#random.shuffle(this.#urls())[0] ?? ''
    const [database, sender, world, runs] = [this.#database, this.#sender, this.#world, this.#runs]
    await assertWhole({ ledger, sender, world, url, runs, database })
  }

  async #catchUp(): Promise<void> {
    const late_ms = performance.now() + CAUGHT_UP_MS_MAX
    while ((await this.#read(LEFT)) > 0) {
      if (performance.now() > late_ms) throw new Error('no server catches up with what was claimed and changed')
      await wait(POLL_MS)
    }
  }

  /** What an administrator does with a command that is killed before it has caught up: the servers have to. */
  async #act(act: (store: Store) => Promise<void>): Promise<void> {
    await using store = await openStore(this.#database)
    await act(store)
  }

  async #start(): Promise<void> {
    this.#servers.add(await Serving.greeted(start(this.#serve())))
  }

  async #kill(server: Serving): Promise<void> {
    this.#servers.delete(server)
    await server.stop('SIGKILL')
  }

  #urls(): string[] {
    return [...this.#servers].map(({ url }) => url)
  }

  async #read(query: string): Promise<number> {
    return Number((await this.#client.query(query)).rows[0]?.n)
  }

  #delay(phase: Phase): Promise<void> {
    return wait(this.#random.unit() * KILL_AFTER_MS_MAX[phase])
  }

  #serve(): string[] {
    return [
      'serve',
      '--port',
      '0',
      ...databaseArgs(this.#database),
      '--app-secret',
      APP_SECRET,
      '--log-level',
      'silent',
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const servers = [...this.#servers]
    this.#servers.clear()
    await Promise.all(servers.map((server) => server.stop()))
    await this.#client.end()
  }
}
