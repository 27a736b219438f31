import { parentPort, workerData } from 'node:worker_threads'
import { DAY_MS } from '../domain/day.ts'
import { openStore } from '../store/open.ts'
import { type ReportOrder, type ReportRun, removeExpiredReports } from '../store/reports.ts'
import { StoreUnavailableError } from '../store/store.ts'
import { makeReport } from './report-job.ts'
import {
  type FromReporter,
  REPORTS_AT_ONCE_MAX,
  type ReporterOptions,
  type ToReporter,
  UNFINISHED_REPORTS_MAX,
} from './reporter.ts'

const { database, meta_history_limit, started_at } = workerData as ReporterOptions
const port = parentPort ?? fail('the reporter runs in a worker thread of the server')
const store = await openStore(database, { is_migrated: true })
const stop = new AbortController()

/** How often it is looked for reports that nobody makes any more. */
const LIST_EVERY_MS = 30_000

/** The latest time that the server told: this thread has no clock of its own. */
let now_ms = started_at
/** When expired reports were last removed. */
let removed_at = started_at
/** When those that have not ended were last listed. */
let listed_at = started_at
/** Orders that are on their way to the disk. */
const ordered = new Set<ReportOrder>()
/** Reports that wait for their turn. */
const waiting: ReportRun[] = []
/** Reports that are made. */
const running = new Set<ReportRun>()
/** All that is under way, and ends before the thread does. */
const tasks = new Set<Promise<void>>()

port.on('message', (message: ToReporter) => {
  if (message.kind === 'order') start(take(message.order))
  else if (message.kind === 'time') tell(message.now_ms)
  else void close()
})
start(listUnfinished())
start(removeExpired())

/** Takes up what an earlier start, another server or a database that went away has left. */
async function listUnfinished(): Promise<void> {
  listed_at = now_ms
  try {
    for (const run of await store.reports.listUnfinished()) awaitTurn(run)
    next()
  } catch (error) {
    if (!stop.signal.aborted) reply({ kind: 'failed', reason: reasonOf(error) })
  }
}

/** Lets a report wait for its turn, once. */
function awaitTurn(run: ReportRun): void {
  const known = [...ordered, ...waiting, ...running]
  if (!known.some(({ run_id }) => run_id === run.run_id)) waiting.push(run)
}

async function take(order: ReportOrder): Promise<void> {
  const { run_id, account } = order
  now_ms = order.created_at
  try {
    const unfinished = [...ordered, ...waiting, ...running].filter((run) => run.account === account)
    if (unfinished.length >= UNFINISHED_REPORTS_MAX) {
      reply({ kind: 'too many', run_id })
      return
    }
    ordered.add(order)
    const run = await store.write(async ({ reports }) => {
      await reports.add(order)
      return reports.read(run_id)
    }, 'shared')
    reply({ kind: 'taken', run_id })
    ordered.delete(order)
    if (run !== undefined) awaitTurn(run)
    next()
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) return reply({ kind: 'refused', run_id, reason: String(error) })
    reply({ kind: 'failed', reason: String(error) })
    reply({ kind: 'unavailable', run_id })
  } finally {
    ordered.delete(order)
  }
}

/** Begins what waits, while there is room; an account of which nothing is made comes before one of which something is. */
function next(): void {
  while (running.size < REPORTS_AT_ONCE_MAX && waiting.length > 0 && !stop.signal.aborted) {
    const busy = new Set([...running].map(({ account }) => account))
    const idle = waiting.findIndex(({ account }) => !busy.has(account))
    const [run] = waiting.splice(Math.max(0, idle), 1)
    if (run !== undefined) start(make(run))
  }
}

async function make(run: ReportRun): Promise<void> {
  running.add(run)
  try {
    await using reading = await openStore(database, { is_migrated: true })
    await using claim = await reading.claimReport(run.run)
    const current = claim && (await reading.reports.read(run.run_id))
    // Another server makes it, or has made it or removed it since it was listed.
    if (current === undefined || current.ended_at !== undefined) return
    const job = { reading, writing: store, meta_history_limit, now_ms: () => now_ms, signal: stop.signal }
    const failure = await makeReport(current, job)
    if (failure !== undefined) reply({ kind: 'failed', reason: reasonOf(failure) })
  } catch (error) {
    if (!stop.signal.aborted) reply({ kind: 'failed', reason: reasonOf(error) })
  } finally {
    running.delete(run)
    reply({ kind: 'ended', run_id: run.run_id })
    next()
  }
}

function tell(told_ms: number): void {
  now_ms = told_ms
  if (Math.abs(now_ms - removed_at) >= DAY_MS) start(removeExpired())
  if (Math.abs(now_ms - listed_at) >= LIST_EVERY_MS) start(listUnfinished())
}

async function removeExpired(): Promise<void> {
  removed_at = now_ms
  try {
    await removeExpiredReports(store, now_ms, stop.signal)
  } catch (error) {
    if (!stop.signal.aborted) reply({ kind: 'failed', reason: reasonOf(error) })
  }
}

function start(task: Promise<void>): void {
  tasks.add(task)
  void task.finally(() => tasks.delete(task))
}

/** Every report stops where it is, and is begun anew after the next start. */
async function close(): Promise<void> {
  stop.abort()
  while (tasks.size > 0) await Promise.all(tasks)
  await store[Symbol.asyncDispose]()
  port.close()
}

function reply(message: FromReporter): void {
  port.postMessage(message)
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function fail(message: string): never {
  throw new Error(message)
}
