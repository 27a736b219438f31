import assert from 'node:assert/strict'
import { readout } from '../command.ts'
import { HASH_KEY } from '../open.ts'
import { answersOf, readAnswers, readReport } from './answers.ts'
import { factOf, ledgerOf } from './ledger.ts'
import type { Sender } from './sender.ts'
import type { CrashWorld } from './world.ts'

/** In the midst of what a server is killed. A world is a database on which one is killed once in each, and then counted. */
export const PHASES = ['migration', 'start', 'catch up', 'load', 'report'] as const

export type Phase = (typeof PHASES)[number]

/** How often a server was killed in a phase, and how often what the phase is about was then under way. */
export interface Kills {
  killed: number
  in_the_midst: number
}

export interface CrashRecord {
  readonly seed: number
  /** At a time, on one database. */
  readonly servers: number
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

/** What a new database takes before a server is first killed under load. */
export const FACTS_AT_FIRST = 3000

/** More than is taken before a server is killed. */
export const FACTS_PER_LOAD_MAX = 20_000

/** Counts the rows that are left while the phase is not over. */
export const UNDER_WAY: Partial<Record<Phase, string>> = {
  'catch up': 'SELECT COUNT(*) AS n FROM unresolved_ad',
  report: "SELECT COUNT(*) AS n FROM report_run WHERE async_status IN ('Job Not Started', 'Job Running')",
}

/** What is left to catch up with. */
export const LEFT = 'SELECT (SELECT COUNT(*) FROM unresolved_ad) + (SELECT COUNT(*) FROM parked) AS n'
export const CAUGHT_UP_MS_MAX = 20_000
export const POLL_MS = 20

/** Where servers are killed: an engine, and so many of them on one database. */
export interface CrashPlace {
  readonly servers: number
  /** What the command needs to play there again. */
  readonly options: string
  /** Kills a server in so many phases on a new database, and counts; throws at the first fact that is lost or counted twice. */
  run(seed: number, rounds: number, record: CrashRecord): Promise<void>
}

/**
 * Kills real servers under load, in worlds of a round per phase. Throws at the first fact that is lost or counted twice,
 * with the seed of its world, whose database is then left.
 */
export async function runCrashLoop(
  rounds: number,
  seed: number,
  place: CrashPlace,
  onWorld: (record: CrashRecord) => void = () => {},
): Promise<CrashRecord> {
  const kills = Object.fromEntries(PHASES.map((phase) => [phase, { killed: 0, in_the_midst: 0 }]))
  const record: CrashRecord = {
    seed,
    servers: place.servers,
    rounds: 0,
    kills: kills as Record<Phase, Kills>,
    facts: 0,
    webhooks_cut_off: 0,
    reports: 0,
    seconds: 0,
  }
  const started_ms = performance.now()
  for (let world = seed; record.rounds < rounds; world++) {
    const left = Math.min(PHASES.length, rounds - record.rounds)
    try {
      await place.run(world, left, record)
    } catch (cause) {
      const again = `npm run crash -- ${place.options}--seed ${world} --rounds ${left}`
      throw new Error(`seed ${world} failed; play it again with: ${again}`, { cause })
    }
    record.seconds = (performance.now() - started_ms) / 1000
    onWorld(record)
  }
  return record
}

/** Notes that a server was killed in a phase. */
export function noteKill(record: CrashRecord, phase: Phase, isInTheMidst: boolean): void {
  record.rounds++
  record.kills[phase].killed++
  if (isInTheMidst) record.kills[phase].in_the_midst++
}

/** What a world came to, once nothing is left to be sent and caught up with. */
interface Result {
  readonly ledger: readonly string[]
  readonly sender: Sender
  readonly world: CrashWorld
  readonly url: string
  /** Reports that were answered for. */
  readonly runs: ReadonlySet<string>
  readonly database: string
}

/** Everything that was told is there once, and every report that was answered for is made. */
export async function assertWhole({ ledger, sender, world, url, runs, database }: Result): Promise<void> {
  const facts = sender.told.map(factOf)
  assertSame(ledger, ledgerOf(facts), 'the ledger and the facts')
  assertSame(await readAnswers(url), answersOf(facts, world), 'the insights and the naive model')
  for (const run_id of runs) await readReport(url, run_id)
  const { code, stdout, stderr } = await readout(['verify', ...databaseArgs(database)])
  assert.equal(code, 0, `readout verify: ${stdout} ${stderr}`)
}

export function databaseArgs(database: string): string[] {
  return ['--database', database, '--hash-key', Buffer.from(HASH_KEY).toString('hex')]
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
