import { setImmediate } from 'node:timers/promises'
import { DAY_MS, type DayRange } from '../domain/day.ts'
import type { Store } from './store.ts'

/** How long a report can be read, in milliseconds from when it was asked for (contract 6.6). */
export const REPORT_LIFE_MS = 30 * DAY_MS

/** Rows stored, or removed, in one transaction: few enough that whoever else writes waits for milliseconds. */
export const REPORT_ROWS_PER_COMMIT = 1000

/** Meta's words for how far a report is, as far as we need them (contract 6.3). */
export const ASYNC_STATUSES = ['Job Not Started', 'Job Running', 'Job Completed', 'Job Failed'] as const

export type AsyncStatus = (typeof ASYNC_STATUSES)[number]

/** A report as it was asked for. */
export interface ReportOrder {
  readonly run_id: string
  readonly account: number
  /** What was asked: `act_<digits>`, or the id of a campaign, ad set or ad. */
  readonly node_id: string
  /** What was asked of it, by name; texts that the parser of the request reads again. */
  readonly parameters: Readonly<Record<string, string>>
  /** The days of its rows; `undefined` where the node has no data to take them from. */
  readonly days: DayRange | undefined
  readonly created_at: number
}

/** Why a report failed, in the words and numbers of the wire (contract 6.7). */
export interface ReportFailure {
  readonly error_code: number
  readonly error_subcode: number
  readonly error_message: string
}

/** How a report ended: with a summary where one was asked for, or with a failure. */
export interface ReportEnding {
  readonly ended_at: number
  /** JSON, as the wire has it. */
  readonly summary?: string | undefined
  readonly failure?: ReportFailure | undefined
}

/** A report, and how far it is. */
export interface ReportRun extends ReportOrder {
  /** The store's own short number. */
  readonly run: number
  readonly account_id: string
  readonly async_status: AsyncStatus
  readonly async_percent_completion: number
  /** How often it was begun, and not left in good order: once, unless the server broke down meanwhile. */
  readonly begun: number
  readonly row_count: number
  readonly ended_at: number | undefined
  readonly summary: string | undefined
  readonly failure: ReportFailure | undefined
}

/** Reports, and their rows by place: each is JSON, as the wire has it. */
export interface Reports {
  add(order: ReportOrder): Promise<void>
  read(run_id: string): Promise<ReportRun | undefined>
  /** Those that have not ended, the oldest first. */
  listUnfinished(): Promise<ReportRun[]>
  listCreatedBefore(time_ms: number): Promise<ReportRun[]>
  begin(run: number): Promise<void>
  /** Leaves a report that was begun to be begun anew. */
  leave(run: number): Promise<void>
  addRows(run: number, place: number, rows: readonly string[]): Promise<void>
  writeProgress(run: number, async_percent_completion: number): Promise<void>
  /** Ends a report that has not ended; what has, stays as it ended. */
  end(run: number, row_count: number, ending: ReportEnding): Promise<void>
  /** The rows from the place `start` to the one before `end`. */
  readRows(run: number, start: number, end: number): Promise<string[]>
  /** Removes up to so many rows; returns how many it removed. */
  removeRows(run: number, limit: number): Promise<number>
  remove(run: number): Promise<void>
}

/** Whether a report is past its life, and as good as gone. */
export function isExpired({ created_at }: Pick<ReportOrder, 'created_at'>, now_ms: number): boolean {
  return created_at + REPORT_LIFE_MS <= now_ms
}

/** Removes what is stored of a report's rows, in small transactions with time for others between them. */
export async function removeReportRows(store: Store, run: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const removed = await store.write(({ reports }) => reports.removeRows(run, REPORT_ROWS_PER_COMMIT), 'shared')
    if (removed < REPORT_ROWS_PER_COMMIT) return
    await setImmediate()
    signal.throwIfAborted()
  }
}

/** Removes the reports whose life is over. Rejects when it is stopped: the rest is removed another time. */
export async function removeExpiredReports(store: Store, now_ms: number, signal: AbortSignal): Promise<void> {
  for (const { run } of await store.reports.listCreatedBefore(now_ms - REPORT_LIFE_MS + 1)) {
    await removeReportRows(store, run, signal)
    await store.write(({ reports }) => reports.remove(run), 'shared')
  }
}
