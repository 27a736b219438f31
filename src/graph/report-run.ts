import { formatDay } from '../domain/day.ts'
import { ASYNC_STATUSES, isExpired, type ReportRun } from '../store/reports.ts'
import { PRICES_US } from './budget.ts'
import type { Context } from './context.ts'
import { GraphError, INVALID_PARAMETER, REPORT_NOT_READY } from './error.ts'
import { DATE_FIELDS, parseFields } from './field.ts'
import { type InsightsQuery, parsePage, parseSummary } from './insights-parameters.ts'
import type { InsightsRow } from './insights-row.ts'
import { type PageAddress, type PagedRows, seekPage } from './paging.ts'
import { given, givenNames, type Parameters } from './parameters.ts'
import { unknownPath } from './path.ts'
import { isRunId, queryOf } from './report-order.ts'
import { BOOLEAN, DAY, INTEGER, listOf, type Schema, TEXT, wordOf } from './schema.ts'
import { parseLanguage, USER_TEXTS, type UserText } from './user-text.ts'

/** Where the file of a report is downloaded: at Meta on www.facebook.com, without a version (contract 6.11). */
export const EXPORT_PATH = '/ads/ads_insights/export_report'

/** The run of this id; `undefined` when there is none, it is past its life, or the token may not see its account. */
export async function findVisibleRun(
  { tables, token, now }: Pick<Context, 'tables' | 'token' | 'now'>,
  id: string,
): Promise<ReportRun | undefined> {
  const run = isRunId(id) ? await tables.reports.read(id) : undefined
  const isVisible = run !== undefined && !isExpired(run, now.epochMilliseconds) && token.accounts.has(run.account)
  return isVisible ? run : undefined
}

/** Answers a GET of a run: the node, or the edge with its rows. Throws a GraphError. */
export async function answerRun(
  context: Pick<Context, 'tables' | 'budget'>,
  run: ReportRun,
  edge: string | undefined,
  address: PageAddress,
): Promise<object> {
  if (edge === undefined) return formatRun(run, address)
  if (edge === 'insights') return readRunRows(context, run, address)
  throw unknownPath([edge])
}

/** Throws for a report that has no rows to read, or none yet. */
export function checkReady({ async_status, async_percent_completion, failure }: ReportRun): void {
  if (async_status === 'Job Completed') return
  const why = failure === undefined ? `${async_percent_completion} percent are done` : failure.error_message
  throw new GraphError(REPORT_NOT_READY, `The report has no rows to read: ${async_status}, ${why}`)
}

/** A field of a run: what its value looks like, and what fills it. */
interface RunField {
  readonly schema: Schema
  readonly fill: (run: ReportRun, address: PageAddress) => unknown
}

const field = (schema: Schema, fill: RunField['fill']): RunField => ({ schema, fill })

/** The fields of a run (contract 6.2); those that we have no value for are left out. */
export const RUN_FIELDS: Readonly<Record<string, RunField>> = {
  id: field(TEXT, ({ run_id }) => run_id),
  account_id: field(TEXT, ({ account_id }) => account_id),
  time_ref: field(INTEGER, ({ created_at }) => secondsOf(created_at)),
  time_completed: field(INTEGER, ({ ended_at }) => ended_at && secondsOf(ended_at)),
  async_status: field(wordOf(ASYNC_STATUSES), ({ async_status }) => async_status),
  async_percent_completion: field(
    { type: 'integer', minimum: 0, maximum: 100 },
    ({ async_percent_completion }) => async_percent_completion,
  ),
  async_report_url: field(TEXT, formatReportUrl),
  date_start: field(DAY, ({ days }) => days && formatDay(days.since)),
  date_stop: field(DAY, ({ days }) => days && formatDay(days.until)),
  emails: field(listOf(TEXT), () => undefined),
  error_code: field(INTEGER, ({ failure }) => failure?.error_code),
  error_message: field(TEXT, ({ failure }) => failure?.error_message),
  error_subcode: field(INTEGER, ({ failure }) => failure?.error_subcode),
  error_user_msg: field(TEXT, (run, address) => userTextOf(run, address)?.error_user_msg),
  error_user_title: field(TEXT, (run, address) => userTextOf(run, address)?.error_user_title),
  friendly_name: field(TEXT, ({ parameters }) => parameters.export_name),
  is_async_export: field(INTEGER, ({ parameters }) => Number(parameters.export_format !== undefined)),
  is_bookmarked: field(BOOLEAN, () => false),
  is_running: field(BOOLEAN, ({ ended_at }) => ended_at === undefined),
  schedule_id: field(TEXT, () => undefined),
}

/** The `error_code` of a report that failed because it has too many rows (contract 7.3). */
export const REPORT_TOO_LARGE = -3

/** What people are told of a failure, in the language of whoever asks now. */
function userTextOf({ failure }: ReportRun, { parameters }: PageAddress): UserText | undefined {
  const texts = USER_TEXTS[parseLanguage(parameters.get('locale'))]
  return failure && texts[failure.error_code === REPORT_TOO_LARGE ? 'reportTooLarge' : 'reportFailed']
}

/** Meta's sample has the first six; public code reads the dates, and v25.0 tells of errors, without being asked. */
const RUN_FIELDS_DEFAULT = [
  'id',
  'account_id',
  'time_ref',
  'time_completed',
  'async_status',
  'async_percent_completion',
  'date_start',
  'date_stop',
  'error_code',
  'error_message',
  'error_subcode',
  'error_user_title',
  'error_user_msg',
]

function formatRun(run: ReportRun, address: PageAddress): object {
  const formatted: Record<string, unknown> = {}
  for (const name of parseRunFields(address.parameters)) formatted[name] = RUN_FIELDS[name]?.fill(run, address)
  return formatted
}

/** A node tells its id, asked for or not. */
function parseRunFields(parameters: Parameters): Iterable<string> {
  const names = givenNames(parameters, 'fields') ?? RUN_FIELDS_DEFAULT
  const unknown = names.find((name) => !Object.hasOwn(RUN_FIELDS, name))
  if (unknown === undefined) return new Set([...names, 'id'])
  throw new GraphError(INVALID_PARAMETER, `Tried accessing nonexisting field (${unknown}) on node type (AdReportRun)`)
}

function formatReportUrl({ run_id, parameters }: ReportRun, { base_url }: PageAddress): string | undefined {
  const { export_format, export_name } = parameters
  if (export_format === undefined) return undefined
  const named = export_name === undefined ? {} : { name: export_name }
  return `${base_url}${EXPORT_PATH}?${new URLSearchParams({ report_run_id: run_id, format: export_format, ...named })}`
}

interface RunRows extends PagedRows<InsightsRow> {
  readonly summary: InsightsRow | undefined
}

/** A page of a run's rows, found by their places: the last page takes no longer than the first. */
async function readRunRows(
  { tables: { reports }, budget }: Pick<Context, 'tables' | 'budget'>,
  run: ReportRun,
  address: PageAddress,
): Promise<RunRows> {
  checkReady(run)
  const keys = parseKeys(address.parameters, queryOf(run))
  const asked = parsePage(address.parameters)
  budget.spend(Math.min(asked.limit, run.row_count) * keys.length * PRICES_US.value)
  const read = async (start: number, end: number) =>
    (await reports.readRows(run.run, start, end)).map((row) => pick(JSON.parse(row) as InsightsRow, keys))
  const page = await seekPage(read, run.row_count, asked, address)
  return { ...page, summary: run.summary === undefined ? undefined : (JSON.parse(run.summary) as InsightsRow) }
}

/** The keys of the rows that are asked for. What the report was not asked for is not there (contract 6.9). */
function parseKeys(parameters: Parameters, query: InsightsQuery): readonly string[] {
  const asked = given(parameters, 'fields')
  const fields = asked === undefined ? query.fields : parseFields(asked)
  checkIncluded(fields, query.fields)
  checkIncluded(parseSummary(parameters, fields) ?? [], query.summary ?? [])
  return [...fields, ...DATE_FIELDS, ...(query.breakdown === undefined ? [] : [query.breakdown])]
}

function checkIncluded(asked: readonly string[], known: readonly string[]): void {
  const missing = asked.filter((field) => !known.includes(field))
  if (missing.length === 0) return
  throw new GraphError(
    INVALID_PARAMETER,
    `Cannot include ${missing.join(', ')} in summary param because they weren't there while creating the report run. ` +
      `All available values are: ${known.join(', ')}`,
  )
}

function pick(row: InsightsRow, keys: readonly string[]): InsightsRow {
  const picked: InsightsRow = {}
  for (const key of keys) {
    const value = row[key]
    if (value !== undefined) picked[key] = value
  }
  return picked
}

function secondsOf(time_ms: number): number {
  return Math.floor(time_ms / 1000)
}
