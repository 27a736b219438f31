import type { Node } from '../store/registry.ts'
import type { ReportOrder } from '../store/reports.ts'
import { formatValue } from './encoding.ts'
import { GraphError, INVALID_PARAMETER } from './error.ts'
import { DATE_FIELDS } from './field.ts'
import { type InsightsSource, resolveRange } from './insights.ts'
import {
  BREAKDOWNS,
  INSIGHTS_PARAMETERS,
  type InsightsQuery,
  parseEnum,
  parseInsightsQuery,
  parsePage,
} from './insights-parameters.ts'
import { given, givenNames, type Parameters } from './parameters.ts'
import { REPORT_FORMATS } from './report-file.ts'

const RUN_ID = /^9\d{17}$/
const RUN_IDS = 10n ** 17n

/**
 * The id of a run, made of 64 random bits: 18 digits, so that clients take it for an id of Meta's, and a 9 at the start,
 * where no id of an ad account, campaign, ad set or ad has one.
 */
export function formatRunId(random: bigint): string {
  return `9${(random % RUN_IDS).toString().padStart(17, '0')}`
}

/** Whether an id looks like that of a run: all others are not looked up among them. */
export function isRunId(id: string): boolean {
  return RUN_ID.test(id)
}

/** Whether `/insights` is asked for a report and not for rows: a POST is, and so is an export (contract 3). */
export function isReportAsked(method: string, parameters: Parameters): boolean {
  return method === 'POST' || given(parameters, 'export_format') !== undefined
}

/**
 * Makes the order for a report of what a request asks of a node, as `readInsights` would be asked. Throws every
 * GraphError that a GET would be answered with.
 */
export async function orderReport(
  source: InsightsSource,
  node: Node,
  node_id: string,
  asked: Parameters,
  run_id: string,
): Promise<ReportOrder> {
  // Refused as a GET would, and then of no concern: a report has all rows.
  parsePage(asked)
  const parameters = keepParameters(asked)
  checkLength(parameters)
  const query = parseInsightsQuery(parameters)
  checkExport(parameters, query)
  const days = await resolveRange(source, node, query)
  const created_at = source.now.epochMilliseconds
  return { run_id, account: node.account, node_id, parameters: Object.fromEntries(parameters), days, created_at }
}

/** What a report was asked for is kept as long as the report, and parsed again whenever it is read. */
export const REPORT_PARAMETERS_LENGTH_MAX = 65_536

function checkLength(parameters: ReadonlyMap<string, string>): void {
  const length = [...parameters.values()].reduce((sum, value) => sum + value.length, 0)
  if (length <= REPORT_PARAMETERS_LENGTH_MAX) return
  throw new GraphError(
    INVALID_PARAMETER,
    `the parameters of a report are longer than ${REPORT_PARAMETERS_LENGTH_MAX} characters: filter by fewer values`,
  )
}

/** The parameters of an order, as a Graph request has them. */
export function parametersOf({ parameters }: Pick<ReportOrder, 'parameters'>): Parameters {
  return new Map(Object.entries(parameters))
}

/** What an order asks for. */
export function queryOf(order: Pick<ReportOrder, 'parameters'>): InsightsQuery {
  return parseInsightsQuery(parametersOf(order))
}

/** The columns of a report's file: those asked for, else every key that its rows may have. */
export function exportColumns(parameters: Parameters, { fields, breakdown }: InsightsQuery): readonly string[] {
  const all = [...fields, ...DATE_FIELDS, ...(breakdown === undefined ? [] : [breakdown])]
  const columns = givenNames(parameters, 'export_columns') ?? all
  const unknown = columns.filter((column) => !all.includes(column))
  if (unknown.length === 0) return columns
  throw new GraphError(
    INVALID_PARAMETER,
    `export_columns: ${unknown.join(', ')} must be among fields: ${all.join(', ')}`,
  )
}

function checkExport(parameters: Parameters, query: InsightsQuery): void {
  if (parseEnum(parameters, 'export_format', REPORT_FORMATS) !== undefined) exportColumns(parameters, query)
}

const KEPT = INSIGHTS_PARAMETERS.map(({ name }) => name).filter((name) => !/^(?:limit|after|before)$/.test(name))

/** What concerns the report, as text; never the access token. Columns without fields are the fields. */
function keepParameters(asked: Parameters): ReadonlyMap<string, string> {
  const kept = new Map<string, string>()
  for (const name of KEPT) {
    const value = given(asked, name)
    if (value !== undefined) kept.set(name, formatValue(value))
  }
  const columns = kept.has('export_format') && !kept.has('fields') ? givenNames(kept, 'export_columns') : undefined
  if (columns !== undefined) kept.set('fields', columns.filter(isField).join(','))
  return kept
}

function isField(column: string): boolean {
  return !DATE_FIELDS.includes(column) && !BREAKDOWNS.some((breakdown) => breakdown === column)
}
