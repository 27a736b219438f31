import type { ReportRun } from '../store/reports.ts'
import type { Store, Tables } from '../store/store.ts'
import { answerError, countCall, type GraphDoor } from './answer.ts'
import { parseCall } from './call.ts'
import { readCaller } from './caller.ts'
import type { Call } from './context.ts'
import { parseText } from './encoding.ts'
import type { Endpoint } from './endpoint.ts'
import { GraphError, INVALID_PARAMETER } from './error.ts'
import { parseEnum } from './insights-parameters.ts'
import type { InsightsRow } from './insights-row.ts'
import { missingObject } from './node.ts'
import { answered, required } from './parameter.ts'
import { given, type Parameters } from './parameters.ts'
import { REPORT_FILES, REPORT_FORMATS, type ReportFile } from './report-file.ts'
import { exportColumns, parametersOf, queryOf } from './report-order.ts'
import { checkReady, EXPORT_PATH, findVisibleRun } from './report-run.ts'
import type { GraphRequest, GraphResponse } from './request.ts'
import { DIGITS, TEXT, wordOf } from './schema.ts'
import { type Business, NO_USAGE, type UsageHeaders } from './usage.ts'
import { languageAsked } from './user-text.ts'

/** The one path of this door that has no version. */
export const EXPORT: Endpoint = {
  method: 'GET',
  path: EXPORT_PATH,
  name: 'downloadReport',
  permission: 'read',
  meaning: 'A report as a file.',
  parameters: [
    required('report_run_id', 'The report.', DIGITS),
    answered(
      'format',
      '`csv` or `xls`; `export_format` of the report when absent, else `csv`.',
      wordOf(REPORT_FORMATS),
    ),
    answered('name', 'Of the file; `export_name` of the report when absent, else its id.', TEXT),
  ],
  response: TEXT,
  content_types: REPORT_FORMATS.map((format) => REPORT_FILES[format].content_type),
}

/** Rows of a file that are held at once: a piece of it. */
const ROWS_PER_PIECE = 1000

/** A download: a file in pieces, or an error. */
export interface ExportResponse extends Omit<GraphResponse, 'body'> {
  readonly body: string | AsyncIterable<string>
}

interface Download {
  readonly run: ReportRun
  readonly file: ReportFile
  readonly columns: readonly string[]
  /** Of the file, with its ending. */
  readonly name: string
}

/** Answers `…/export_report?report_run_id=…&format=…&name=…` (contract 6.11) with the report as a file. Never throws. */
export async function answerExport(request: GraphRequest, door: GraphDoor): Promise<ExportResponse> {
  let usage = NO_USAGE
  const onUsage = (known: UsageHeaders) => {
    usage = known
  }
  try {
    // The path leads here, and names no node.
    const call = await parseCall({ ...request, path: '/' })
    const download = await door.store.read((tables) => openDownload(tables, call, door, onUsage))
    const headers = {
      ...usage,
      'content-type': download.file.content_type,
      'content-disposition': formatDisposition(download.name),
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
    }
    return { status: 200, headers, body: writeFile(door.store, download) }
  } catch (error) {
    return answerError(error, door, languageAsked(request.query), usage)
  }
}

async function openDownload(
  tables: Tables,
  call: Call,
  door: GraphDoor,
  onUsage: (usage: UsageHeaders) => void,
): Promise<Download> {
  const { method, parameters } = call
  await door.directory.open(tables)
  const now = door.now()
  const token = await readCaller(tables, call, door, now.epochMilliseconds)
  const id = parseName(parameters, 'report_run_id')
  if (id === undefined) throw new GraphError(INVALID_PARAMETER, 'The parameter report_run_id is required')
  const run = await findVisibleRun({ tables, token, now }, id)
  const business: Business | undefined = run && { account_id: run.account_id, type: 'ads_insights' }
  countCall(door, { token, now, business }, onUsage)
  if (method !== 'GET' || run === undefined) throw missingObject(method, id)
  checkReady(run)
  const ordered = parametersOf(run)
  const format =
    parseEnum(parameters, 'format', REPORT_FORMATS) ?? parseEnum(ordered, 'export_format', REPORT_FORMATS) ?? 'csv'
  const file = REPORT_FILES[format]
  if (run.row_count > file.rows_max) {
    throw new GraphError(
      INVALID_PARAMETER,
      `format ${format} holds ${file.rows_max} rows, and the report has ${run.row_count}: ask for format=csv`,
    )
  }
  const name = parseName(parameters, 'name') ?? parseName(ordered, 'export_name') ?? run.run_id
  const isNamed = name.toLowerCase().endsWith(`.${format}`)
  const columns = exportColumns(ordered, queryOf(run))
  return { run, file, columns, name: isNamed ? name : `${name}.${format}` }
}

/** The file in pieces: what is written waits for the caller to take it, and the rows of an ended report do not change. */
async function* writeFile(store: Store, { run, file, columns }: Download): AsyncGenerator<string> {
  if (run.row_count === 0) {
    yield file.empty
    return
  }
  yield file.head(columns)
  for (let start = 0; start < run.row_count; start += ROWS_PER_PIECE) {
    const rows = await store.read(({ reports }) => reports.readRows(run.run, start, start + ROWS_PER_PIECE))
    if (rows.length === 0) throw new Error(`report ${run.run_id} has expired while it was downloaded`)
    yield rows.map((row) => file.row(JSON.parse(row) as InsightsRow, columns)).join('')
  }
  yield file.tail
}

function parseName(parameters: Parameters, name: string): string | undefined {
  const value = given(parameters, name)
  return typeof value === 'string' ? parseText(value) : undefined
}

const NAME_LENGTH_MAX = 150

/** The name as every caller understands it, and as it is for those who understand RFC 5987. */
function formatDisposition(name: string): string {
  const ending = name.slice(name.lastIndexOf('.'))
  const stem = name.slice(0, -ending.length).toWellFormed().slice(0, NAME_LENGTH_MAX)
  const plain = stem.replace(/[^\w .()-]/g, '_')
  const encoded = encodeURIComponent(`${stem.toWellFormed()}${ending}`).replace(/['()*]/g, encodeByte)
  return `attachment; filename="${plain}${ending}"; filename*=UTF-8''${encoded}`
}

function encodeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
