import type { AsyncStatus, ReportEnding, ReportFailure, ReportOrder, ReportRun, Reports } from '../reports.ts'
import type { Row, Session } from './session.ts'

const ADD_RUN = `
  INSERT INTO report_run (
    run_id, account, node_id, parameters, since, until, created_at, async_status, async_percent_completion, begun, row_count
  ) VALUES ($1, $2, $3, $4, $5, $6, $7, 'Job Not Started', 0, 0, 0)`

const READ_RUNS = 'SELECT report_run.*, account_id FROM report_run JOIN account USING (account)'

const BEGIN_RUN = `
  UPDATE report_run SET async_status = 'Job Running', async_percent_completion = 0, begun = begun + 1 WHERE run = $1`

/** One that has ended stays so, though whoever ended it was not told, and one that was not begun was not begun once less. */
const LEAVE_RUN = `
  UPDATE report_run SET async_status = 'Job Not Started', begun = begun - 1
  WHERE run = $1 AND ended_at IS NULL AND async_status = 'Job Running'`

const END_RUN = `
  UPDATE report_run
  SET async_status = $2, async_percent_completion = COALESCE($3, async_percent_completion), row_count = $4, ended_at = $5,
    summary = $6, failure = $7
  WHERE run = $1 AND ended_at IS NULL`

const ADD_ROWS = `
  INSERT INTO report_row (run, place, row)
  SELECT $1, $2 + place::integer - 1, row FROM unnest($3::text[]) WITH ORDINALITY AS added (row, place)`

const READ_ROWS = 'SELECT row FROM report_row WHERE run = $1 AND place >= $2 AND place < $3 ORDER BY place'

const REMOVE_ROWS = `
  DELETE FROM report_row
  WHERE run = $1 AND place < (SELECT MIN(place) FROM report_row WHERE run = $1) + $2`

/** Of two servers that remove a report's rows, one finds none left though the other has not removed them all. */
const REMOVE_RUN = 'DELETE FROM report_run WHERE run = $1 AND NOT EXISTS (SELECT FROM report_row WHERE run = $1)'

export class PostgresReports implements Reports {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async add({ run_id, account, node_id, parameters, days, created_at }: ReportOrder): Promise<void> {
    const { since = null, until = null } = days ?? {}
    await this.#session.run(ADD_RUN, run_id, account, node_id, JSON.stringify(parameters), since, until, created_at)
  }

  async read(run_id: string): Promise<ReportRun | undefined> {
    const row = await this.#session.row(`${READ_RUNS} WHERE run_id = $1`, run_id)
    return row && runOf(row)
  }

  async listUnfinished(): Promise<ReportRun[]> {
    return (await this.#session.rows(`${READ_RUNS} WHERE ended_at IS NULL ORDER BY created_at, run`)).map(runOf)
  }

  async listCreatedBefore(time_ms: number): Promise<ReportRun[]> {
    return (await this.#session.rows(`${READ_RUNS} WHERE created_at < $1 ORDER BY run`, time_ms)).map(runOf)
  }

  async begin(run: number): Promise<void> {
    await this.#session.run(BEGIN_RUN, run)
  }

  async leave(run: number): Promise<void> {
    await this.#session.run(LEAVE_RUN, run)
  }

  async addRows(run: number, place: number, rows: readonly string[]): Promise<void> {
    if (rows.length > 0) await this.#session.run(ADD_ROWS, run, place, rows)
  }

  async writeProgress(run: number, async_percent_completion: number): Promise<void> {
    await this.#session.run(
      'UPDATE report_run SET async_percent_completion = $2 WHERE run = $1',
      run,
      async_percent_completion,
    )
  }

  async end(run: number, row_count: number, { ended_at, summary, failure }: ReportEnding): Promise<void> {
    const async_status: AsyncStatus = failure === undefined ? 'Job Completed' : 'Job Failed'
    const percent = failure === undefined ? 100 : null
    const failed = failure === undefined ? null : JSON.stringify(failure)
    await this.#session.run(END_RUN, run, async_status, percent, row_count, ended_at, summary ?? null, failed)
  }

  async readRows(run: number, start: number, end: number): Promise<string[]> {
    return (await this.#session.lists(READ_ROWS, run, start, end)).map(([row]) => row as string)
  }

  async removeRows(run: number, limit: number): Promise<number> {
    return this.#session.run(REMOVE_ROWS, run, limit)
  }

  async remove(run: number): Promise<void> {
    await this.#session.run(REMOVE_RUN, run)
  }
}

function runOf(row: Row): ReportRun {
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
