import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { AsyncStatus, ReportEnding, ReportFailure, ReportOrder, ReportRun, Reports } from '../reports.ts'

const ADD_RUN = `
  INSERT INTO report_run (
    run_id, account, node_id, parameters, since, until, created_at, async_status, async_percent_completion, begun, row_count
  ) VALUES (?, ?, ?, ?, ?, ?, ?, 'Job Not Started', 0, 0, 0)`

const READ_RUNS = 'SELECT report_run.*, account_id FROM report_run JOIN account USING (account)'

const BEGIN_RUN = `
  UPDATE report_run SET async_status = 'Job Running', async_percent_completion = 0, begun = begun + 1 WHERE run = ?`

/** One that has ended stays so, though whoever ended it was not told, and one that was not begun was not begun once less. */
const LEAVE_RUN = `
  UPDATE report_run SET async_status = 'Job Not Started', begun = begun - 1
  WHERE run = ? AND ended_at IS NULL AND async_status = 'Job Running'`

const END_RUN = `
  UPDATE report_run
  SET async_status = ?2, async_percent_completion = COALESCE(?3, async_percent_completion), row_count = ?4, ended_at = ?5,
    summary = ?6, failure = ?7
  WHERE run = ?1 AND ended_at IS NULL`

const REMOVE_ROWS = `
  DELETE FROM report_row
  WHERE run = ?1 AND place < (SELECT MIN(place) FROM report_row WHERE run = ?1) + ?2`

export class SqliteReports implements Reports {
  readonly #db: DatabaseSync
  readonly #read: StatementSync
  readonly #addRow: StatementSync
  readonly #readRows: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#read = db.prepare(`${READ_RUNS} WHERE run_id = ?`)
    this.#addRow = db.prepare('INSERT INTO report_row (run, place, row) VALUES (?, ?, ?)')
    this.#readRows = db.prepare('SELECT row FROM report_row WHERE run = ? AND place >= ? AND place < ? ORDER BY place')
    this.#readRows.setReturnArrays(true)
  }

  async add({ run_id, account, node_id, parameters, days, created_at }: ReportOrder): Promise<void> {
    const { since = null, until = null } = days ?? {}
    this.#db.prepare(ADD_RUN).run(run_id, account, node_id, JSON.stringify(parameters), since, until, created_at)
  }

  async read(run_id: string): Promise<ReportRun | undefined> {
    const row = this.#read.get(run_id)
    return row && runOf(row)
  }

  async listUnfinished(): Promise<ReportRun[]> {
    return this.#db.prepare(`${READ_RUNS} WHERE ended_at IS NULL ORDER BY created_at, run`).all().map(runOf)
  }

  async listCreatedBefore(time_ms: number): Promise<ReportRun[]> {
    return this.#db.prepare(`${READ_RUNS} WHERE created_at < ? ORDER BY run`).all(time_ms).map(runOf)
  }

  async begin(run: number): Promise<void> {
    this.#db.prepare(BEGIN_RUN).run(run)
  }

  async leave(run: number): Promise<void> {
    this.#db.prepare(LEAVE_RUN).run(run)
  }

  async addRows(run: number, place: number, rows: readonly string[]): Promise<void> {
    for (const [i, row] of rows.entries()) this.#addRow.run(run, place + i, row)
  }

  async writeProgress(run: number, async_percent_completion: number): Promise<void> {
    this.#db
      .prepare('UPDATE report_run SET async_percent_completion = ? WHERE run = ?')
      .run(async_percent_completion, run)
  }

  async end(run: number, row_count: number, { ended_at, summary, failure }: ReportEnding): Promise<void> {
    const async_status: AsyncStatus = failure === undefined ? 'Job Completed' : 'Job Failed'
    const percent = failure === undefined ? 100 : null
    const failed = failure === undefined ? null : JSON.stringify(failure)
    this.#db.prepare(END_RUN).run(run, async_status, percent, row_count, ended_at, summary ?? null, failed)
  }

  async readRows(run: number, start: number, end: number): Promise<string[]> {
    const rows = this.#readRows.all(run, start, end) as unknown as [string][]
    return rows.map(([row]) => row)
  }

  async removeRows(run: number, limit: number): Promise<number> {
    return Number(this.#db.prepare(REMOVE_ROWS).run(run, limit).changes)
  }

  async remove(run: number): Promise<void> {
    this.#db.prepare('DELETE FROM report_run WHERE run = ?').run(run)
  }
}

function runOf(row: Record<string, unknown>): ReportRun {
  const days = row.since === null ? undefined : { since: Number(row.since), until: Number(row.until) }
  return {
    run: Number(row.run),
    run_id: String(row.run_id),
    account: Number(row.account),
    account_id: String(row.account_id),
    node_id: String(row.node_id),
    parameters: JSON.parse(String(row.parameters)) as Record<string, string>,
    days,
    created_at: Number(row.created_at),
    ended_at: row.ended_at === null ? undefined : Number(row.ended_at),
    async_status: row.async_status as AsyncStatus,
    async_percent_completion: Number(row.async_percent_completion),
    begun: Number(row.begun),
    row_count: Number(row.row_count),
    summary: row.summary === null ? undefined : String(row.summary),
    failure: row.failure === null ? undefined : (JSON.parse(String(row.failure)) as ReportFailure),
  }
}
