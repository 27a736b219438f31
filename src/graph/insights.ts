import { calendarOf } from '../domain/calendar.ts'
import type { Day, DayRange } from '../domain/day.ts'
import { METRIC_BY_FIELD } from '../domain/metric.ts'
import type { Node } from '../store/registry.ts'
import { ACCOUNT_CELLS } from '../store/rollup-cells.ts'
import type { Rollups } from '../store/rollups.ts'
import type { Tables } from '../store/store.ts'
import { cellsOf } from './breakdown.ts'
import { type Budget, PRICES_US } from './budget.ts'
import type { ObjectStart } from './cursor.ts'
import type { Directory } from './directory.ts'
import { tooMuchData } from './error.ts'
import { DATE_FIELDS } from './field.ts'
import { passesMetrics, priceFilters } from './filtering.ts'
import type { InsightsQuery, Sort } from './insights-parameters.ts'
import {
  addUp,
  formatRow,
  type InsightsRow,
  type MeasuredRow,
  measureNode,
  metricOf,
  type RowQuery,
} from './insights-row.ts'
import { measuresOf } from './measures.ts'
import type { PlacedRow, PlacedRows } from './paging.ts'
import { checkLevel, type RowNodes, readRowNodes } from './row-node.ts'
import { isAscending, limitHistory, resolveCalendarPreset, resolvePreset, sliceFinder, sliceRanges } from './slice.ts'

/** Rows that are held at once, to be sorted or summed; more are answered with Meta's "reduce the amount of data". */
export const ROWS_HELD_MAX = 200_000

/** The rows of a result, read as one goes through them, and their totals where those are asked for. */
export interface Insights {
  readonly rows: PlacedRows<MeasuredRow>
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
  /** Pays for what is read; without one, nobody waits for it. */
  readonly budget?: Budget
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
  const rows = await measureRows(source, node, query, rowQuery)
  if (query.sort === undefined && query.summary === undefined) return { rows, summary: undefined, write }
  const all = await holdRows(rows)
  const summary = query.summary && (await summarise(source, node, all, { ...rowQuery, fields: query.summary }, query))
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
  const [only] = slices
  if (only !== undefined && slices.length === 1) return only
  return {
    since: Math.min(...slices.map(({ since }) => since)),
    until: Math.max(...slices.map(({ until }) => until)),
  }
}

function rowQueryOf(node: Node, query: InsightsQuery, slices: readonly DayRange[]): RowQuery {
  return {
    fields: query.fields,
    breakdown: query.breakdown,
    measures: measuresOf(query),
    slices,
    slicesOf: sliceFinder(slices),
    range: rangeOf(slices),
    currency: node.currency,
  }
}

/** What is measured, object by object. */
interface Measuring {
  readonly source: InsightsSource
  readonly rowNodes: RowNodes
  readonly query: InsightsQuery
  readonly rowQuery: RowQuery
  /** What one ad, and one row, can cost. */
  readonly prices: { readonly ad_us: number; readonly row_us: number }
}

/**
 * The measured rows that pass the filters, object by object, slice by slice, value by value; from the object on in which
 * the page's cursor stands, unless all rows are wanted. Those of a single object are read already.
 */
async function measureRows(
  source: InsightsSource,
  node: Node,
  query: InsightsQuery,
  rowQuery: RowQuery,
): Promise<Insights['rows']> {
  const rowNodes = await readRowNodes(source, node, query)
  const ad_us = source.budget === undefined ? 0 : await priceAd(source.tables.rollups, node, rowQuery)
  const measuring = { source, rowNodes, query, rowQuery, prices: { ad_us, row_us: priceRow(query) } }
  const start = startOf(query)
  return rowNodes.count === 1 && start.object === 0 ? measureObject(measuring, start) : measureObjects(measuring, start)
}

async function* measureObjects(measuring: Measuring, start: ObjectStart): AsyncGenerator<PlacedRow<MeasuredRow>> {
  const { rowNodes } = measuring
  for (let { object, place } = start; object < rowNodes.count; object++) {
    const rows = await measureObject(measuring, { object, place })
    yield* rows
    place += rows.length
  }
}

async function measureObject(measuring: Measuring, start: ObjectStart): Promise<PlacedRow<MeasuredRow>[]> {
  const { source, rowNodes, query, rowQuery, prices } = measuring
  const { tables, budget, onObject } = source
  const rowNode = rowNodes.at(start.object)
  budget?.spend(PRICES_US.node + rowNode.ads.length * prices.ad_us)
  const rows = await measureNode(tables.rollups, rowNode, rowQuery)
  budget?.spend(rows.length * prices.row_us)
  const passing = rows.filter((row) => passesMetrics(query.filters, (field) => metricOf(row, field, rowQuery)))
  if (onObject !== undefined) await onObject(start.object + 1, rowNodes.count)
  return passing.map((row, i) => ({ row, place: start.place + i, start }))
}

/** Ranges up to it are taken to have a cell on each day; of longer ones the days with cells are counted. */
const DAYS_UNCOUNTED_MAX = 100

/** What the cells of one ad can cost: it has none that its account does not have. */
async function priceAd(rollups: Rollups, { account }: Node, query: RowQuery): Promise<number> {
  const { range, measures, slices, breakdown } = query
  const days = range.until - range.since + 1
  const isShort = breakdown === undefined && days <= DAYS_UNCOUNTED_MAX
  const cells = isShort ? days : await rollups.countCells({ account, ads: [ACCOUNT_CELLS] }, range, cellsOf(breakdown))
  const finding = isAscending(slices) ? 0 : slices.length * PRICES_US.comparison
  return cells * (PRICES_US.cell + measures.columns.length * PRICES_US.amount + finding)
}

function priceRow({ fields, filters, sort, summary = [] }: InsightsQuery): number {
  const values = fields.length + summary.length + (sort === undefined ? 0 : 1)
  return PRICES_US.row + values * PRICES_US.value + priceFilters(filters)
}

const BEGINNING: ObjectStart = { object: 0, place: 0 }

function startOf({ page, sort, summary }: InsightsQuery): ObjectStart {
  return sort === undefined && summary === undefined ? (page.after?.start ?? BEGINNING) : BEGINNING
}

/** The slices of the range asked for, as seen from today in the account; none for data that a node does not have. */
async function resolveSlices(
  { tables, now, meta_history_limit, budget }: InsightsSource,
  node: Node,
  { dates, time_increment }: InsightsQuery,
): Promise<readonly DayRange[]> {
  const today = calendarOf(node.time_zone).dayOf(now.epochMilliseconds)
  const ranges = await resolveRanges(tables.rollups, node, dates, today, budget)
  const isPreset = typeof dates === 'string'
  const limited = meta_history_limit ? ranges.flatMap((range) => limitHistory(range, isPreset, today) ?? []) : ranges
  return sliceRanges(limited, time_increment)
}

async function resolveRanges(
  rollups: Rollups,
  node: Node,
  dates: InsightsQuery['dates'],
  today: Day,
  budget: Budget | undefined,
): Promise<readonly DayRange[]> {
  if (typeof dates !== 'string') return 'length' in dates ? dates : [dates]
  if (dates !== 'maximum' && dates !== 'data_maximum') return [resolveCalendarPreset(dates, today)]
  if (node.ads.length > 1) budget?.spend(node.ads.length * (await countDays(rollups, node, today)) * PRICES_US.cell)
  const range = resolvePreset(dates, today, await rollups.readDays(node))
  return range === undefined ? [] : [range]
}

/** The days on which anything happened in the node's account, up to tomorrow. */
function countDays(rollups: Rollups, { account }: Node, today: Day): Promise<number> {
  return rollups.countCells({ account, ads: [ACCOUNT_CELLS] }, { since: 0, until: today + 1 })
}

async function holdRows(rows: Insights['rows']): Promise<MeasuredRow[]> {
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
  { dates, filters }: InsightsQuery,
): Promise<InsightsRow | undefined> {
  if (rows.length === 0) return undefined
  // Of what filters leave, the rows know; of all of the node, some objects may have no row in this range.
  const ever_sent = filters.length > 0 ? rows.some((row) => row.ever_sent) : await tables.rollups.readEverSent(node)
  const measured = { names: {}, days: query.range, sums: addUp(rows), ever_sent, value: undefined }
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
