import { createReadStream } from 'node:fs'
import { CsvError, parse } from 'csv-parse'

/** Thrown for a CSV file that cannot be read as the table it should be, or not to its end; the message names the line. */
export class CsvFileError extends Error {
  override readonly name = 'CsvFileError'
}

/** What the import of a CSV file came to. */
export interface RowsImported {
  rows: number
  bad_rows: number
}

/** A row of a CSV file by its heading, and the line it ends on. */
export interface CsvRow {
  readonly line: number
  readonly cells: Readonly<Record<string, string>>
}

/** Reads a CSV file whose first line names these columns, in any order. Throws a CsvFileError. */
export async function* readCsv(file: string, columns: readonly string[]): AsyncGenerator<CsvRow> {
  let isHeaded = false
  const headings = (names: string[]) => {
    isHeaded = true
    return checkHeadings(file, names, columns)
  }
  const parser = parse({ bom: true, columns: headings, info: true, skip_empty_lines: true, trim: true })
  const source = createReadStream(file).on('error', (cause) => parser.destroy(cause))
  try {
    for await (const { record, info } of source.pipe(parser)) {
      yield { line: Number(info.lines), cells: record as Record<string, string> }
    }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    throw new CsvFileError(`cannot read ${file}: ${wordsOf(cause)}`, { cause })
  }
  if (!isHeaded) throw new CsvFileError(`cannot read ${file}: it is empty; its first line must be ${columns.join(',')}`)
}

/** Our words for what is wrong with most files that are no tables. */
function wordsOf(cause: CsvError): string {
  // Where a quote was opened that is not closed, not where the file ends.
  const line = /line \d+/.exec(cause.message)?.[0] ?? `line ${Number(cause.lines)}`
  if (cause.code.includes('QUOTE')) {
    return `a quote in ${line} is not as it should be; write a cell with quotes or commas in quotes, and its own quotes twice`
  }
  if (cause.code.includes('RECORD_')) {
    return `${line} has another number of cells than the first; write a cell with commas in quotes`
  }
  return cause.message
}

function checkHeadings(file: string, names: string[], columns: readonly string[]): string[] {
  const lower = names.map((name) => name.toLowerCase())
  const missing = columns.filter((column) => !lower.includes(column))
  if (missing.length === 0) return lower
  throw new CsvFileError(
    `cannot read ${file}: its first line has no ${missing.join(', ')}; it must name the columns ${columns.join(',')}`,
  )
}
