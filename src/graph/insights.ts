import { calendarOf } from '../domain/calendar.ts'
import type { Day, DayRange } from '../domain/day.ts'
import { METRIC_BY_FIELD, metricCounters } from '../domain/metric.ts'
import { REGION_CLASSES } from '../domain/region.ts'
import type { Node } from '../store/registry.ts'
import type { RollupColumn } from '../store/rollup-cells.ts'
import type { Rollups } from '../store/rollups.ts'
import type { Tables } from '../store/store.ts'
import type { ObjectStart } from './cursor.ts'
import type { Directory } from './directory.ts'
import { tooMuchData } from './error.ts'
import { DATE_FIELDS } from './field.ts'
import { passesMetrics } from './filtering.ts'
import type { InsightsQuery, Sort } from './insights-parameters.ts'
import {
  DELIVERY_DATED,
  formatRow,
  type InsightsRow,
  type MeasuredRow,
  measureNode,
  metricOf,
  type RowQuery,
  sumRows,
} from './insights-row.ts'
import type { PlacedRow } from './paging.ts'
import { checkLevel, readRowNodes } from './row-node.ts'
import { limitHistory, resolveCalendarPreset, resolvePreset, sliceFinder, sliceRange } from './slice.ts'

/** Rows that are held at once, to be sorted or summed; more are answered with Meta's "reduce the amount of data". */
export const ROWS_HELD_MAX = 200_000

/** The rows of a result, read as one goes through them, and their totals where those are asked for. */
export interface Insights {
  readonly rows: Iterable<PlacedRow<MeasuredRow>> | AsyncIterable<PlacedRow<MeasuredRow>>
  readonly summary: InsightsRow | undefined
  /** Writes a row down as the wire has it. */
  readonly write: (row: MeasuredRow) => InsightsRow
}

/** What insights are read from. */
export interface InsightsSource {
  readonly tables: Tables
  readonly directory: Directory
  readonly now: Temporal.Instant
  readonly meta_history_limit: boolean
  /** Awaited whenever the rows of one more object were read, of so many. */
  readonly onObject?: (done: number, objects: number) => Promise<void>
}

/**
 * The rows of a node: one for each object of the level, slice of the range and value of the breakdown in which
 * anything happened (design 5). Call it within a reading transaction, so that every number is of the same moment.
 * Throws a GraphError.
 */
export async function readInsights(source: InsightsSource, node: Node, query: InsightsQuery): Promise<Insights> {
  const slices = await resolveSlices(source, node, query)
  const rowQuery = rowQueryOf(node, query, slices)
  const write = (row: MeasuredRow) => formatRow(row, rowQuery)
  if (slices.length === 0) return { rows: [], summary: undefined, write }
  const rows = measureRows(source, node, query, rowQuery)
  if (query.sort === undefined && query.summary === undefined) return { rows, summary: undefined, write }
  const all = await holdRows(rows)
  const summary =
    query.summary && (await summarise(source, node, all, { ...rowQuery, fields: query.summary }, query.dates))
  const sorted = query.sort === undefined ? all : sortRows(all, query.sort, rowQuery)
  return { rows: sorted.map((row, place) => ({ row, place, start: undefined })), summary, write }
}

/**
 * The days from the first slice of a query to its last; `undefined` where the node has no data to take them from. Throws
 * the GraphErrors that `readInsights` would throw of the query, without reading what was counted.
 */
export async function resolveRange(
  source: InsightsSource,
  node: Node,
  query: InsightsQuery,
): Promise<DayRange | undefined> {
  checkLevel(node, query.level)
  const slices = await resolveSlices(source, node, query)
  return slices.length === 0 ? undefined : rangeOf(slices)
}

function rangeOf(slices: readonly DayRange[]): DayRange {
  return {
    since: Math.min(...slices.map(({ since }) => since)),
    until: Math.max(...slices.map(({ until }) => until)),
  }
}

function rowQueryOf(node: Node, query: InsightsQuery, slices: readonly DayRange[]): RowQuery {
  return {
    ...query,
    slices,
    slicesOf: sliceFinder(slices),
    range: rangeOf(slices),
    columns: columnsOf(query),
    currency: node.currency,
  }
}

/**
 * The measured rows that pass the filters, node by node, slice by slice, value by value; from the object on in which
 * the page's cursor stands, unless all rows are wanted.
 */
async function* measureRows(
  source: InsightsSource,
  node: Node,
  query: InsightsQuery,
  rowQuery: RowQuery,
): AsyncGenerator<PlacedRow<MeasuredRow>> {
  const rowNodes = await readRowNodes(source, node, query)
  let { object, place } = startOf(query)
  for (const rowNode of rowNodes.from(object)) {
    const start = { object: object++, place }
    for (const row of await measureNode(source.tables.rollups, rowNode, rowQuery)) {
      const isPassing = passesMetrics(query.filters, (field) => metricOf(row, field, rowQuery))
      if (isPassing) yield { row, place: place++, start }
    }
    await source.onObject?.(object, rowNodes.count)
  }
}

const BEGINNING: ObjectStart = { object: 0, place: 0 }

function startOf({ page, sort, summary }: InsightsQuery): ObjectStart {
  return sort === undefined && summary === undefined ? (page.after?.start ?? BEGINNING) : BEGINNING
}

/** The slices of the range asked for, as seen from today in the account; none for data that a node does not have. */
async function resolveSlices(
  { tables, now, meta_history_limit }: InsightsSource,
  node: Node,
  { dates, time_increment }: InsightsQuery,
): Promise<readonly DayRange[]> {
  const today = calendarOf(node.time_zone).dayOf(now.epochMilliseconds)
  const ranges = await resolveRanges(tables.rollups, node, dates, today)
  const isPreset = typeof dates === 'string'
  const limited = meta_history_limit ? ranges.flatMap((range) => limitHistory(range, isPreset, today) ?? []) : ranges
  return limited.flatMap((range) => sliceRange(range, time_increment))
}

async function resolveRanges(
  rollups: Rollups,
  node: Node,
  dates: InsightsQuery['dates'],
  today: Day,
): Promise<readonly DayRange[]> {
  if (typeof dates !== 'string') return 'length' in dates ? dates : [dates]
  if (dates !== 'maximum' && dates !== 'data_maximum') return [resolveCalendarPreset(dates, today)]
  const range = resolvePreset(dates, today, await rollups.readDays(node))
  return range === undefined ? [] : [range]
}

const columnLists = new Map<string, readonly RollupColumn[]>()
const COLUMN_LISTS_MAX = 1000

/** The columns to sum, each counter in every class: the metrics of one row may count different classes. */
function columnsOf({ fields, summary = [], sort, filters, dated_by }: InsightsQuery): readonly RollupColumn[] {
  const names = [...fields, ...summary, ...(sort ? [sort.field] : []), ...filters.map(({ field }) => field)]
  const key = `${dated_by} ${names}`
  const known = columnLists.get(key)
  if (known !== undefined) return known
  if (columnLists.size >= COLUMN_LISTS_MAX) columnLists.clear()
  const metrics = names.flatMap((name) => METRIC_BY_FIELD.get(name) ?? [])
  const counters = new Set(metrics.flatMap((metric) => metricCounters(metric, dated_by)))
  if (dated_by === 'delivery') for (const counter of DELIVERY_DATED) counters.add(counter)
  const columns = [...counters].flatMap((counter) => REGION_CLASSES.map((name): RollupColumn => `${counter}_${name}`))
  columnLists.set(key, columns)
  return columns
}

async function holdRows(rows: AsyncIterable<PlacedRow<MeasuredRow>>): Promise<MeasuredRow[]> {
  const held: MeasuredRow[] = []
  for await (const { row } of rows) {
    if (held.length === ROWS_HELD_MAX) throw tooMuchData()
    held.push(row)
  }
  return held
}

/** The totals of all rows, over the whole range. Those of several ranges have no dates: they are of no one range. */
async function summarise(
  { tables }: InsightsSource,
  node: Node,
  rows: readonly MeasuredRow[],
  query: RowQuery,
  dates: InsightsQuery['dates'],
): Promise<InsightsRow | undefined> {
  if (rows.length === 0) return undefined
  const ever_sent = await tables.rollups.readEverSent(node)
  const measured = { names: {}, days: query.range, sums: sumRows(rows), ever_sent, breakdown: undefined }
  const summary = formatRow(measured, query)
  if (!Array.isArray(dates) || dates.length === 1) return summary
  return Object.fromEntries(Object.entries(summary).filter(([key]) => !DATE_FIELDS.includes(key)))
}

/** Rows without the value come last, whatever the direction; equal ones keep their order. */
function sortRows(rows: readonly MeasuredRow[], { field, isDescending }: Sort, query: RowQuery): MeasuredRow[] {
  const isMetric = METRIC_BY_FIELD.has(field)
  const keyed = rows.map((row) => ({
    row,
    value: isMetric ? metricOf(row, field, query) : formatRow(row, { ...query, fields: [field] })[field],
  }))
  const direction = isDescending ? -1 : 1
  keyed.sort((a, b) => {
    if (a.value === undefined || b.value === undefined)
      return Number(a.value === undefined) - Number(b.value === undefined)
    return (
      direction *
      (isMetric ? Number(a.value) - Number(b.value) : a.value.localeCompare(b.value, 'en', { numeric: true }))
    )
  })
  return keyed.map(({ row }) => row)
}
