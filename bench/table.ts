import type { Figure } from './bench.ts'

const HEADINGS = ['measured', 'figure', 'limit', 'ratio', 'to reach', 'reached', 'the limit is']

/** Units of which less is better. */
const COSTS: ReadonlySet<Figure['unit']> = new Set(['ms', 'µs', 'MB', 'bytes'])

/** Decimals that are shown; none of any other unit. */
const DIGITS: Partial<Record<Figure['unit'], number>> = { ms: 2, µs: 1 }

/** The figures as a table for eyes. */
export function formatTable(figures: readonly Figure[]): string {
  const rows = [HEADINGS, ...figures.map(cellsOf)]
  const widths = HEADINGS.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => pad(cell, i, widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** The same as a table of Markdown. */
export function formatMarkdown(figures: readonly Figure[]): string {
  const ruler = HEADINGS.map((_, i) => (isNumber(i) ? '---:' : '---'))
  return [HEADINGS, ruler, ...figures.map(cellsOf)].map((row) => `| ${row.join(' | ')} |\n`).join('')
}

/** Whether a figure is as good as the issue asks; `undefined` where nothing is asked, or nothing could be measured. */
export function isReached(figure: Figure): boolean | undefined {
  const { measured, unit } = figure
  const to_reach = barOf(figure)
  if (to_reach === undefined || measured === null) return undefined
  return COSTS.has(unit) ? measured <= to_reach : measured >= to_reach
}

/** What is to be reached, in the figure's unit. */
function barOf({ to_reach, ratio_to_reach, limit }: Figure): number | undefined {
  if (ratio_to_reach === undefined || limit === undefined) return to_reach
  return ratio_to_reach * limit.value
}

function formatBar({ to_reach, ratio_to_reach, unit }: Figure): string {
  if (ratio_to_reach !== undefined) return `${ratio_to_reach.toFixed(2)} of it`
  return to_reach === undefined ? '' : formatNumber(to_reach, unit)
}

function cellsOf(figure: Figure): string[] {
  const { what, unit, measured, limit } = figure
  const reached = isReached(figure)
  return [
    what,
    measured === null ? 'not told here' : `${formatNumber(measured, unit)} ${unit}`,
    limit === undefined ? '' : formatNumber(limit.value, unit),
    limit === undefined || measured === null ? '' : (measured / limit.value).toFixed(2),
    formatBar(figure),
    reached === undefined ? '' : reached ? 'yes' : 'no',
    limit?.of ?? '',
  ]
}

function formatNumber(value: number, unit: Figure['unit']): string {
  const digits = DIGITS[unit] ?? 0
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

function pad(cell: string, column: number, width: number): string {
  return isNumber(column) ? cell.padStart(width) : cell.padEnd(width)
}

/** Columns are words, but for the figure, the limit, the ratio and the bar. */
function isNumber(column: number): boolean {
  return column >= 1 && column <= 4
}
