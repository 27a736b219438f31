import { Option } from 'commander'

export const OUTPUT_MODES = ['table', 'json', 'csv', 'plain'] as const

export type OutputMode = (typeof OUTPUT_MODES)[number]

/** A column of what a command prints: the key of the JSON and the CSV, the heading of the table. */
export interface Column {
  readonly key: string
  readonly label: string
}

export type Row = Readonly<Record<string, string | number | null | undefined>>

/** The `-o` of every command that prints rows. */
export function outputOption(): Option {
  return new Option('-o, --output <mode>', 'how rows are printed').choices(OUTPUT_MODES).default('table')
}

/** Prints rows on stdout: for eyes, as JSON, as CSV, or plain, which is tab-separated without headings. */
export function printRows(columns: readonly Column[], rows: readonly Row[], mode: OutputMode): void {
  process.stdout.write(formatRows(columns, rows, mode))
}

export function formatRows(columns: readonly Column[], rows: readonly Row[], mode: OutputMode): string {
  switch (mode) {
    case 'table':
      return formatTable(columns, rows)
    case 'json':
      return `${JSON.stringify(
        rows.map((row) => jsonOf(columns, row)),
        null,
        2,
      )}\n`
    case 'csv':
      return lines([columns.map(({ key }) => key), ...rows.map((row) => texts(columns, row))], (row) =>
        row.map(quoteCsv).join(','),
      )
    case 'plain':
      return lines(
        rows.map((row) => texts(columns, row)),
        (row) => row.map(printable).join('\t'),
      )
  }
}

function formatTable(columns: readonly Column[], rows: readonly Row[]): string {
  const table = [columns.map(({ label }) => label), ...rows.map((row) => texts(columns, row).map(printable))]
  const widths = columns.map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0)))
  const isNumber = columns.map(
    (_, i) => rows.length > 0 && table.slice(1).every((row) => /^-?[\d.]*$/.test(row[i] ?? '')),
  )
  return lines(table, (row) =>
    row
      .map((text, i) => (isNumber[i] ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}

function jsonOf(columns: readonly Column[], row: Row): Record<string, unknown> {
  return Object.fromEntries(columns.flatMap(({ key }) => (row[key] === undefined ? [] : [[key, row[key]]])))
}

function texts(columns: readonly Column[], row: Row): string[] {
  return columns.map(({ key }) => String(row[key] ?? ''))
}

/** A name may hold what moves the cursor, or more. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ')
}

function quoteCsv(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function lines(rows: readonly string[][], format: (row: string[]) => string): string {
  return rows.map((row) => `${format(row)}\n`).join('')
}

/** `1 fact`, `2 facts`. */
export function count(things: number, one: string): string {
  return `${things} ${one}${things === 1 ? '' : 's'}`
}

const BYTE_UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB']

/** `512 bytes`, `3.6 GB`. */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), BYTE_UNITS.length - 1)
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${BYTE_UNITS[power]}`
}

/** Prints words on stderr, where they never get into the data. */
export function say(message: string): void {
  process.stderr.write(`${message}\n`)
}

/** A time in UTC, to the second. */
export function formatTime(time_ms: number): string {
  return new Date(time_ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
