import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { Random } from '../../src/sandbox/random.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { readout, Serving, start } from '../command.ts'
import { APP_SECRET, HASH_KEY } from '../open.ts'
import { answersOf, orderReports, readAnswers, readReport } from './answers.ts'
import { factOf, ledgerOf, readLedger } from './ledger.ts'
import { Sender } from './sender.ts'
import { CrashWorld, worldEvents } from './world.ts'

/** In the midst of what the server is killed. A world is a database that is killed once in each, and then counted. */
export const PHASES = ['migration', 'start', 'catch up', 'load', 'report'] as const

export type Phase = (typeof PHASES)[number]

/** How often the server was killed in a phase, and how often what the phase is about was then under way. */
export interface Kills {
  killed: number
  in_the_midst: number
}

export interface CrashRecord {
  readonly seed: number
  rounds: number
  readonly kills: Readonly<Record<Phase, Kills>>
  /** Told by webhooks, repeats included. */
  facts: number
  /** Not answered when the server was killed. */
  webhooks_cut_off: number
  /** Answered for before a kill, and completed after it. */
  reports: number
  seconds: number
}

/** What a new database takes before it is first killed under load. */
const FACTS_AT_FIRST = 3000

/** More than a server takes before it is killed. */
const FACTS_PER_LOAD_MAX = 20_000

/** From the phase's beginning to the kill, at most; reports begin when the first of their orders is answered. */
const KILL_AFTER_MS_MAX: Readonly<Record<Phase, number>> = {
  migration: 12,
  start: 500,
  'catch up': 120,
  load: 700,
  report: 200,
}

/** Counts the rows that are left while the phase is not over. */
const UNDER_WAY: Partial<Record<Phase, string>> = {
  'catch up': 'SELECT COUNT(*) AS n FROM unresolved_ad',
  report: "SELECT COUNT(*) AS n FROM report_run WHERE async_status IN ('Job Not Started', 'Job Running')",
}

const MIGRATIONS = join(import.meta.dirname, '../../src/store/sqlite/migrations')
const CAUGHT_UP_MS_MAX = 20_000
const POLL_MS = 20

/**
 * Kills real servers under load, in worlds of a round per phase. Throws at the first fact that is lost or counted twice,
 * with the seed of its world, whose folder is then left.
 */
export async function runCrashLoop(
  rounds: number,
  seed: number,
  folder: string,
  onWorld: (record: CrashRecord) => void = () => {},
): Promise<CrashRecord> {
  const kills = Object.fromEntries(PHASES.map((phase) => [phase, { killed: 0, in_the_midst: 0 }]))
  const record: CrashRecord = {
    seed,
    rounds: 0,
    kills: kills as Record<Phase, Kills>,
    facts: 0,
    webhooks_cut_off: 0,
    reports: 0,
    seconds: 0,
  }
  const started_ms = performance.now()
  for (let world = seed; record.rounds < rounds; world++) {
    const own = join(folder, String(world))
    mkdirSync(own)
    const left = Math.min(PHASES.length, rounds - record.rounds)
    try {
      await new CrashRun(world, own, record).run(left)
    } catch (cause) {
      const again = `npm run crash -- --seed ${world} --rounds ${left}`
      throw new Error(`seed ${world} failed; its files are kept in ${own}; play it again with: ${again}`, { cause })
    }
    rmSync(own, { recursive: true })
    record.seconds = (performance.now() - started_ms) / 1000
    onWorld(record)
  }
  return record
}

/** One world, from an old or missing database to the count of everything. */
class CrashRun {
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
      const isInTheMidst = await this.#crash(phase)
      this.#record.rounds++
      this.#record.kills[phase].killed++
      if (isInTheMidst) this.#record.kills[phase].in_the_midst++
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
    const working = Promise.all([this.#sender.load(server.url, FACTS_PER_LOAD_MAX), ...orders])
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
    await this.#sender.load(again.url, FACTS_AT_FIRST)
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
    await this.#sender.drain(server.url)
    await this.#catchUp()
    const facts = this.#sender.told.map(factOf)
    assertSame(readLedger(this.#database), ledgerOf(facts), 'the ledger and the facts')
    assertSame(await readAnswers(server.url), answersOf(facts, this.#world), 'the insights and the naive model')
    for (const run_id of this.#runs) await readReport(server.url, run_id)
    const { code, stdout, stderr } = await readout(['verify', ...this.#of()])
    assert.equal(code, 0, `readout verify: ${stdout} ${stderr}`)
  }

  async #catchUp(): Promise<void> {
    const late_ms = performance.now() + CAUGHT_UP_MS_MAX
    const query = 'SELECT (SELECT COUNT(*) FROM unresolved_ad) + (SELECT COUNT(*) FROM parked) AS n'
    using db = new DatabaseSync(this.#database, { readOnly: true })
    const left = db.prepare(query)
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

  #of(): string[] {
    return ['--database', this.#database, '--hash-key', Buffer.from(HASH_KEY).toString('hex')]
  }

  #args(): string[] {
    return [...this.#of(), '--app-secret', APP_SECRET, '--log-level', 'silent']
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

/** Shows the lines of one side only: a whole ledger is too long to be read. */
function assertSame(stored: readonly string[], expected: readonly string[], what: string): void {
  const missing = [...new Set(expected).difference(new Set(stored))]
  const unexpected = [...new Set(stored).difference(new Set(expected))]
  const shown = { missing: missing.slice(0, 10), unexpected: unexpected.slice(0, 10) }
  const counts = `${missing.length} lines are missing, ${unexpected.length} are too many`
  assert.deepEqual(shown, { missing: [], unexpected: [] }, `${what} differ: ${counts}`)
  assert.equal(stored.length, expected.length, `${what} differ: some lines are there twice`)
}
