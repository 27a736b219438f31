import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Asked, Asking } from './asker.ts'
import { takeBodies } from './bodies.ts'
import { Flood } from './flood.ts'
import { ACCOUNTS, liveEvents } from './load.ts'
import { runReadout } from './node-process.ts'
import { FULL } from './plan.ts'
import { readAnswer, startBare } from './questions.ts'
import { ServerProcess } from './server-process.ts'

/** How long a run presses the server, asks it in quiet, and floods it. */
export interface OverloadPlan {
  readonly press_s: number
  readonly quiet_s: number
  readonly flood_s: number
}

/** How soon insights were answered, and how soon a bare server, with nothing else to do, gave the same bytes in the same moments. */
export interface AnswerTimes {
  readonly p99_ms: number
  readonly bare_p99_ms: number
}

/** What a run came to. */
export interface Overload {
  /** What the writer takes when it is never left waiting. */
  readonly capacity_facts_per_s: number
  readonly offered_facts_per_s: number
  /** Committed a second in the flood. */
  readonly taken_facts_per_s: number
  readonly webhooks: number
  /** Answers 503. */
  readonly refusals: number
  readonly quiet: AnswerTimes
  /** While the writer had all that it takes, and no more. */
  readonly pressed: AnswerTimes
  readonly flooded: AnswerTimes
  /** The most memory in the first and in the last third of the flood; `null` where the system does not tell. */
  readonly early_bytes: number | null
  readonly late_bytes: number | null
  /** What was not as it must be. */
  readonly failures: readonly string[]
}

/** Times what the writer can take. */
const OVERLOAD = 3

const CHANGES = 1000
const PRESS_CONNECTIONS = 64
const ASK_EVERY_MS = 20
const SAMPLE_EVERY_MS = 100

/** Memory that the garbage of a busy server takes more one time than another. */
const MEMORY_GROWTH_BYTES_MAX = 64 * 1_048_576

/** More than the writer takes in a flood: a machine that gets faster meanwhile does not run out. */
const ROOM = 1.5

/** Webhooks wait so long between a 503 and the next try, at most; so many more are under way. */
const RETRY_S = 7

/** Floods a server with more than it can take, and finds out what becomes of the webhooks, the answers and the memory. */
export async function runOverload(folder: string, plan: OverloadPlan): Promise<Overload> {
  const database = join(folder, 'overload.db')
  const app_secret = randomBytes(32).toString('hex')
  const token = await openAccount(database)
  const serving = ['serve', '--port', '0', '--database', database, '--app-secret', app_secret, '--log-level', 'warn']
  await using server = await ServerProcess.start('src/cli/main.ts', serving)
  const insights = `/v25.0/act_${ACCOUNTS[0].account_id}/insights?date_preset=last_30d`
  await using bare = await startBare({ folder }, await readAnswer(server, token, { path: insights }))
  const askers = { readout: { url: server.url + insights, token }, bare: { url: bare.url, token } }
  const live = liveEvents(FULL, Date.now())
  const pressing = new Flood(server.url, takeBodies(live, CHANGES, Number.MAX_SAFE_INTEGER), app_secret)
  let capacity = 0
  const pressed = await askBoth(askers, async () => {
    capacity = await pressing.press(PRESS_CONNECTIONS, plan.press_s)
  })
  const quiet = await askBoth(askers, () => setTimeout(plan.quiet_s * 1000))

  const bodies = Math.ceil(capacity * (ROOM * plan.flood_s + OVERLOAD * RETRY_S))
  const flood = new Flood(server.url, [...takeBodies(live, CHANGES, bodies)].values(), app_secret)
  const memory: number[] = []
  const sampling = setInterval(() => memory.push(server.memory_bytes ?? Number.NaN), SAMPLE_EVERY_MS)
  const flooded = await askBoth(askers, () => flood.pour(capacity * OVERLOAD, plan.flood_s))
  clearInterval(sampling)
  const taken = flood.accepted / plan.flood_s
  await flood.drain()
  const sent = pressing.sent + flood.sent
  const third = Math.ceil(memory.length / 3)
  const result = {
    capacity_facts_per_s: capacity * CHANGES,
    offered_facts_per_s: capacity * OVERLOAD * CHANGES,
    taken_facts_per_s: taken * CHANGES,
    webhooks: sent,
    refusals: flood.refusals,
    quiet: quiet.times,
    pressed: pressed.times,
    flooded: flooded.times,
    early_bytes: most(memory.slice(0, third)),
    late_bytes: most(memory.slice(-third)),
  }
  const refused = [pressing, flood, quiet, pressed, flooded].flatMap((one) => one.failures)
  const failures = [...refused, ...failuresOf(result), ...(await countFacts(database, sent))]
  return { ...result, failures }
}

function failuresOf({ refusals, early_bytes, late_bytes }: Omit<Overload, 'failures'>): string[] {
  const failures: string[] = []
  if (refusals === 0) failures.push('nothing was refused: the server was not overloaded')
  if (early_bytes !== null && late_bytes !== null && late_bytes - early_bytes > MEMORY_GROWTH_BYTES_MAX) {
    failures.push(`memory grew from ${early_bytes} to ${late_bytes} bytes`)
  }
  return failures
}

/** Every fact of the webhooks is another one, so the ledger must have as many; and its rollups must be their sum. */
async function countFacts(database: string, webhooks: number): Promise<string[]> {
  using db = new DatabaseSync(database, { readOnly: true })
  const facts = Number(db.prepare(COUNT_FACTS).get()?.facts)
  await runReadout(['verify', '--database', database])
  return facts === webhooks * CHANGES ? [] : [`${facts} facts are there of ${webhooks * CHANGES} that were sent`]
}

const COUNT_FACTS = `
SELECT (SELECT COUNT(sent_at) + COUNT(delivered_at) + COUNT(read_at) FROM message) +
  (SELECT COUNT(*) FROM click) + (SELECT COUNT(*) FROM failure) AS facts`

/** Whom an asker asks, and by which token. */
interface Addressee {
  readonly url: string
  readonly token: string
}

interface AskedBoth {
  readonly times: AnswerTimes
  /** What became of the questions to Readout that were not answered 200. */
  readonly failures: readonly string[]
}

/** Asks Readout for the account's insights, and a bare server for the same bytes, steadily, while something else goes on. */
async function askBoth(
  { readout, bare }: Readonly<Record<'readout' | 'bare', Addressee>>,
  work: () => Promise<unknown>,
): Promise<AskedBoth> {
  const over = Promise.withResolvers<void>()
  const asking = Promise.all([readout, bare].map((addressee) => ask(addressee, over.promise)))
  await work().finally(over.resolve)
  const [asked, beside] = (await asking) as [Asked, Asked]
  return { times: { p99_ms: p99(asked.took_ms), bare_p99_ms: p99(beside.took_ms) }, failures: asked.failures }
}

/** Asks the same again and again until something is over. */
async function ask({ url, token }: Addressee, over: Promise<void>): Promise<Asked> {
  const workerData: Asking = { url, headers: { authorization: `Bearer ${token}` }, every_ms: ASK_EVERY_MS }
  const asker = new Worker(new URL('asker.ts', import.meta.url), { workerData })
  await over
  asker.postMessage('stop')
  const [asked] = (await once(asker, 'message')) as [Asked]
  await asker.terminate()
  return asked
}

async function openAccount(database: string): Promise<string> {
  const [{ account_id, page_id }] = ACCOUNTS
  const fields = ['--name', 'Overloaded', '--currency', 'USD', '--time-zone', 'UTC', '--page', page_id]
  await runReadout(['account', 'add', account_id, ...fields, '--database', database])
  const grant = ['--permission', 'read', '--account', `act_${account_id}`]
  return (await runReadout(['token', 'create', ...grant, '--database', database])).stdout.trim()
}

function p99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN
}

function most(values: readonly number[]): number | null {
  const max = Math.max(...values)
  return Number.isFinite(max) ? max : null
}
