import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { Random } from '../../src/sandbox/random.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { Serving, start } from '../command.ts'
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
import { readFileLedger } from './ledger.ts'
import { Sender } from './sender.ts'
import { CrashWorld, worldEvents } from './world.ts'

/** From the phase's beginning to the kill, at most; reports begin when the first of their orders is answered. */
const KILL_AFTER_MS_MAX: Readonly<Record<Phase, number>> = {
  migration: 12,
  start: 500,
  'catch up': 120,
  load: 700,
  report: 200,
}

const MIGRATIONS = join(import.meta.dirname, '../../src/store/sqlite/migrations')

/** One server on a SQLite file, each world in a folder of its own, which is left where it fails. */
export function fileCrashes(folder: string): CrashPlace {
  const run = async (seed: number, rounds: number, record: CrashRecord) => {
    const own = join(folder, String(seed))
    mkdirSync(own)
    await new FileRun(seed, own, record).run(rounds)
    rmSync(own, { recursive: true })
  }
  return { servers: 1, options: '', run }
}

/** One world, from an old or missing database to the count of everything. */
class FileRun {
  readonly #record: CrashRecord
  readonly #random: Random
  readonly #database: string
  readonly #world: CrashWorld
  readonly #sender: Sender
  readonly #runs = new Set<string>()

  constructor(seed: number, folder: string, record: CrashRecord) {
    this.#record = record
    this.#random = new Random(seed)
    this.#database = join(folder, 'readout.db')
    this.#world = new CrashWorld(new Random(seed, 1))
    this.#sender = new Sender(new Random(seed, 2), worldEvents(seed, Date.now()))
  }

  async run(rounds: number): Promise<void> {
    const [first, ...others] = PHASES
    const phases = [first, ...this.#random.shuffle(others)].slice(0, rounds)
    for (const phase of phases) {
      noteKill(this.#record, phase, await this.#crash(phase))
    }
    await this.#count()
    this.#record.facts += this.#sender.told.length
    this.#record.reports += this.#runs.size
  }

  /** Starts a server, kills it, and tells whether it was in the midst of the phase. */
  async #crash(phase: Phase): Promise<boolean> {
    if (phase === 'migration') return this.#crashMigrating()
    if (phase === 'start') return this.#crashStarting()
    if (phase === 'catch up') await this.#act((store) => this.#world.change(store))
    await using server = await Serving.start(this.#args())
    const orders = phase === 'report' ? orderReports(server.url) : []
    const begun = orders.length === 0 ? Promise.resolve() : Promise.race(orders)
    const working = Promise.all([this.#sender.load(() => [server.url], FACTS_PER_LOAD_MAX), ...orders])
    await Promise.race([working, begun.then(() => this.#delay(phase))])
    const cutOff = this.#sender.inFlight
    await server.stop('SIGKILL')
    await working
    for (const run_id of await Promise.all(orders)) if (run_id !== undefined) this.#runs.add(run_id)
    this.#record.webhooks_cut_off += cutOff
    const query = UNDER_WAY[phase]
    return query === undefined ? cutOff > 0 : this.#peek(query) > 0
  }

  /** The first start finds no database, or one of an older version. */
  async #crashMigrating(): Promise<boolean> {
    const migrations = readdirSync(MIGRATIONS).sort()
    const version = this.#random.integer(0, migrations.length - 1)
    if (version > 0) writeOldDatabase(this.#database, migrations.slice(0, version))
    const server = start(this.#serve())
    const gone = once(server, 'exit')
    while (server.exitCode === null && !existsSync(`${this.#database}-wal`)) await wait(1)
    await this.#delay('migration')
    server.kill('SIGKILL')
    await gone
    const isInTheMidst = this.#peek('PRAGMA user_version', 'user_version') === version
    await using again = await Serving.start(this.#args())
    await this.#act((store) => this.#world.register(store))
    await this.#sender.load(() => [again.url], FACTS_AT_FIRST)
    return isInTheMidst
  }

  async #crashStarting(): Promise<boolean> {
    const server = start(this.#serve())
    let isListening = false
    server.stdout?.once('data', () => {
      isListening = true
    })
    const gone = once(server, 'exit')
    await this.#delay('start')
    server.kill('SIGKILL')
    await gone
    return !isListening
  }

  /** Everything that was told is there once, and every report that was answered for is made. */
  async #count(): Promise<void> {
    await this.#act((store) => this.#world.claimRest(store))
    await using server = await Serving.start(this.#args())
    await this.#sender.drain(() => [server.url])
    await this.#catchUp()
    const [ledger, database] = [readFileLedger(this.#database), this.#database]
    await assertWhole({ ledger, sender: this.#sender, world: this.#world, url: server.url, runs: this.#runs, database })
  }

  async #catchUp(): Promise<void> {
    const late_ms = performance.now() + CAUGHT_UP_MS_MAX
    using db = new DatabaseSync(this.#database, { readOnly: true })
    const left = db.prepare(LEFT)
    while (Number(left.get()?.n) > 0) {
      if (performance.now() > late_ms) throw new Error('the server does not catch up with what was claimed and changed')
      await wait(POLL_MS)
    }
  }

  /** What an administrator does with a command that is killed before it has caught up: the server has to. */
  async #act(act: (store: Store) => Promise<void>): Promise<void> {
    await using store = await openStore(this.#database)
    await act(store)
  }

  /** Reads a number from a copy, so that it is the server that recovers the database. */
  #peek(query: string, column = 'n'): number {
    const copy = `${this.#database}.copy`
    rmSync(`${copy}-wal`, { force: true })
    for (const end of ['', '-wal']) {
      if (existsSync(this.#database + end)) copyFileSync(this.#database + end, copy + end)
    }
    using db = new DatabaseSync(copy)
    return Number(db.prepare(query).get()?.[column])
  }

  #delay(phase: Phase): Promise<void> {
    return wait(this.#random.unit() * KILL_AFTER_MS_MAX[phase])
  }

  #args(): string[] {
    return [...databaseArgs(this.#database), '--app-secret', APP_SECRET, '--log-level', 'silent']
  }

  #serve(): string[] {
    return ['serve', '--port', '0', ...this.#args()]
  }
}

function writeOldDatabase(database: string, migrations: readonly string[]): void {
  using db = new DatabaseSync(database)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA application_id = 0x52656164')
  for (const migration of migrations) db.exec(readFileSync(join(MIGRATIONS, migration), 'utf8'))
  db.exec(`PRAGMA user_version = ${migrations.length}`)
}
