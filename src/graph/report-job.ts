import { setImmediate } from 'node:timers/promises'
import { REPORT_ROWS_PER_COMMIT, type ReportFailure, type ReportRun, removeReportRows } from '../store/reports.ts'
import { type Store, StoreUnavailableError } from '../store/store.ts'
import { Directory } from './directory.ts'
import { GraphError, REDUCE_DATA } from './error.ts'
import { readInsights } from './insights.ts'
import { queryOf } from './report-order.ts'
import { REPORT_TOO_LARGE } from './report-run.ts'

/** A report with more rows fails, and says that it is too large. */
export const REPORT_ROWS_MAX = 10_000_000

/** A report that was begun so often, and never came to an end, is what ends the server: it fails. */
export const REPORT_BEGUN_MAX = 5

/** What a report is read from and written to. */
export interface ReportJob {
  /** A connection of the report's own, which sees the store as it is when the report begins. */
  readonly reading: Store
  readonly writing: Store
  readonly meta_history_limit: boolean
  readonly now_ms: () => number
  /** Aborted when the server stops: the report rejects, and is begun anew after the next start. */
  readonly signal: AbortSignal
}

/**
 * Makes a report: reads its rows as of when it was asked for, and stores them in small transactions. Rejects when it is
 * stopped, or the store is not to be had for now: it is to be made anew. Any other failure is the report's end, and is
 * returned for the log where it is ours.
 */
export async function makeReport(run: ReportRun, job: ReportJob): Promise<unknown> {
  try {
    await storeReport(run, job)
    return undefined
  } catch (cause) {
    if (job.signal.aborted || cause instanceof StoreUnavailableError) {
      await job.writing.write(({ reports }) => reports.leave(run.run), 'shared')
      throw cause
    }
    const ending = { ended_at: job.now_ms(), failure: failureOf(cause) }
    await job.writing.write(({ reports }) => reports.end(run.run, 0, ending), 'shared')
    return cause instanceof GraphError ? undefined : cause
  }
}

async function storeReport(run: ReportRun, job: ReportJob): Promise<void> {
  const { run_id, begun } = run
  await job.writing.write(({ reports }) => reports.begin(run.run), 'shared')
  if (begun >= REPORT_BEGUN_MAX) throw new Error(`report ${run_id} was begun ${begun} times, and never ended`)
  await removeReportRows(job.writing, run.run, job.signal)
  const rows = new RowStore(run.run, job)
  const summary = await readRows(run, job, rows)
  await rows.store((reports, row_count) => reports.end(run.run, row_count, { ended_at: job.now_ms(), summary }))
}

/** Reads the rows of a report in one transaction, so that they are of one moment; returns its summary. */
function readRows(run: ReportRun, job: ReportJob, stored: RowStore): Promise<string | undefined> {
  return job.reading.read(async (tables) => {
    const node = await tables.registry.readNode(run.node_id)
    if (node?.account !== run.account) throw new Error(`${run.node_id} has left the account of report ${run.run_id}`)
    const source = {
      tables,
      directory: new Directory(),
      now: Temporal.Instant.fromEpochMilliseconds(run.created_at),
      meta_history_limit: job.meta_history_limit,
      onObject: (done: number, objects: number) => stored.advance(done / objects),
    }
    const insights = await readInsights(source, node, queryOf(run))
    for await (const { row } of insights.rows) await stored.add(JSON.stringify(insights.write(row)))
    return insights.summary && JSON.stringify(insights.summary)
  })
}

/** Other reports and the server's messages have their turn. */
async function pause({ signal }: ReportJob): Promise<void> {
  await setImmediate()
  signal.throwIfAborted()
}

type EndWriting = (reports: Store['reports'], row_count: number) => Promise<void>

/** Stores the rows of a report in their order, so many at a time, and with them how far it is. */
class RowStore {
  readonly #run: number
  readonly #job: ReportJob
  #rows: string[] = []
  /** Of the first row that is not stored. */
  #place = 0
  /** Rows and objects since the last transaction. */
  #steps = 0
  #percent = 0

  constructor(run: number, job: ReportJob) {
    this.#run = run
    this.#job = job
  }

  async add(row: string): Promise<void> {
    if (this.#place + this.#rows.length >= REPORT_ROWS_MAX) {
      throw new GraphError(REDUCE_DATA, `The report has more than ${REPORT_ROWS_MAX} rows: ask for less`)
    }
    this.#rows.push(row)
    await this.#step()
  }

  /** Notes which part of the objects is read; the last percent is the end's. */
  async advance(part: number): Promise<void> {
    this.#percent = Math.min(99, Math.floor(100 * part))
    await this.#step()
    await pause(this.#job)
  }

  async store(write: EndWriting): Promise<void> {
    const rows = this.#rows
    const place = this.#place
    this.#rows = []
    this.#place += rows.length
    this.#steps = 0
    await this.#job.writing.write(async ({ reports }) => {
      await reports.addRows(this.#run, place, rows)
      await write(reports, this.#place)
    }, 'shared')
  }

  async #step(): Promise<void> {
    if (++this.#steps < REPORT_ROWS_PER_COMMIT) return
    await this.store((reports) => reports.writeProgress(this.#run, this.#percent))
    await pause(this.#job)
  }
}

/** The numbers of contract 7.3. */
const FAILED = { error_code: -2, error_subcode: 2490547 }
const TOO_LARGE = { error_code: REPORT_TOO_LARGE, error_subcode: 1504045 }

/** What the caller is told of a failure: of ours, no more than that it is one (contract 7.3). */
function failureOf(cause: unknown): ReportFailure {
  if (!(cause instanceof GraphError)) return { ...FAILED, error_message: 'The report failed inside the server' }
  return { ...(cause.kind === REDUCE_DATA ? TOO_LARGE : FAILED), error_message: cause.message }
}
