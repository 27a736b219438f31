import { METRIC_BY_FIELD } from '../domain/metric.ts'
import type { InsightsRow } from './insights-row.ts'

/** What a report can be downloaded as. */
export const REPORT_FORMATS = ['csv', 'xls'] as const

export type ReportFormat = (typeof REPORT_FORMATS)[number]

/** How a report is written down as a file, piece by piece. */
export interface ReportFile {
  readonly content_type: string
  /** Rows that one file can hold. */
  readonly rows_max: number
  readonly head: (columns: readonly string[]) => string
  readonly row: (row: InsightsRow, columns: readonly string[]) => string
  readonly tail: string
  /** The whole file of a report without rows (contract 6.11). */
  readonly empty: string
}

const EMPTY = 'No data available.'
const NUMBER = /^-?\d+(?:\.\d+)?$/
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** RFC 4180. */
const CSV: ReportFile = {
  content_type: 'text/csv; charset=utf-8',
  rows_max: Number.POSITIVE_INFINITY,
  head: (columns) => formatLine(columns),
  row: (row, columns) => formatLine(columns.map((column) => row[column] ?? '')),
  tail: '',
  empty: `${EMPTY}\r\n`,
}

function formatLine(cells: readonly string[]): string {
  return `${cells.map(quote).join(',')}\r\n`
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

const SHEET_HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<?mso-application progid="Excel.Sheet"?>\n' +
  '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" ' +
  'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">\n<Worksheet ss:Name="Insights"><Table>\n'
const SHEET_TAIL = '</Table></Worksheet>\n</Workbook>\n'

/** SpreadsheetML 2003, which Excel opens under the old ending, and which can be written from the first row to the last. */
const XLS: ReportFile = {
  content_type: 'application/vnd.ms-excel',
  // A sheet of Excel has 1,048,576, with the heading.
  rows_max: 1_048_575,
  head: (columns) => `${SHEET_HEAD}${formatRow(columns.map((column) => formatCell(column, 'String')))}`,
  row: (row, columns) => formatRow(columns.map((column) => formatValue(column, row[column]))),
  tail: SHEET_TAIL,
  empty: `${SHEET_HEAD}${formatRow([formatCell(EMPTY, 'String')])}${SHEET_TAIL}`,
}

function formatRow(cells: readonly string[]): string {
  return `<Row>${cells.join('')}</Row>\n`
}

/** Metrics are numbers; ids are texts, since Excel would round them. */
function formatValue(column: string, value: string | undefined): string {
  if (value === undefined) return '<Cell/>'
  return formatCell(value, METRIC_BY_FIELD.has(column) && NUMBER.test(value) ? 'Number' : 'String')
}

function formatCell(text: string, type: 'String' | 'Number'): string {
  const escaped = [...text.toWellFormed()].filter(isXml).map((character) => ESCAPES[character] ?? character)
  return `<Cell><Data ss:Type="${type}">${escaped.join('')}</Data></Cell>`
}

/** Most control characters cannot stand in XML, not even escaped. */
function isXml(character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  return (code >= 0x20 || code === 0x9 || code === 0xa || code === 0xd) && code !== 0xfffe && code !== 0xffff
}

/** Each format of a report's file. */
export const REPORT_FILES: Readonly<Record<ReportFormat, ReportFile>> = { csv: CSV, xls: XLS }
