import { type Counter, datedBy } from '../domain/counter.ts'
import { type Day, type DayRange, formatDay } from '../domain/day.ts'
import { formatMetric, METRIC_BY_FIELD, metricCounters } from '../domain/metric.ts'
import { REGION_CLASSES, type RegionClass } from '../domain/region.ts'
import type { RollupColumn } from '../store/rollup-cells.ts'
import type { Rollups } from '../store/rollups.ts'
import { isCounted, readValueCounts } from './breakdown.ts'
import type { Breakdown, InsightsQuery } from './insights-parameters.ts'
import type { RowNode } from './row-node.ts'

/** A row as the wire has it: every value is text (contract 5.4). */
export type InsightsRow = Record<string, string>

/** What the rows of a result have in common. */
export interface RowQuery extends Pick<InsightsQuery, 'fields' | 'region_policy' | 'dated_by' | 'breakdown'> {
  readonly slices: readonly DayRange[]
  /** The places of the slices that a day lies in. */
  readonly slicesOf: (day: Day) => readonly number[]
  /** From the first day of the slices to the last. */
  readonly range: DayRange
  readonly columns: readonly RollupColumn[]
  readonly currency: string
}

export type Sums = ReadonlyMap<RollupColumn, bigint>

/** A row before it is written down: its counts are still there to be filtered by, sorted by and summed. */
export interface MeasuredRow {
  readonly names: Readonly<Record<string, string>>
  readonly days: DayRange
  readonly sums: Sums
  /** Whether the node ever had a sent fact. */
  readonly ever_sent: boolean
  readonly breakdown: { readonly key: Breakdown; readonly value: string } | undefined
}

/** What tells that anything is dated into a slice by delivery: an event-dated cell alone does not. */
export const DELIVERY_DATED: readonly Counter[] = ['delivered', 'sent_by_delivery', 'link_btn_click_by_delivery']

/** The rows of one node in which anything happened. */
export async function measureNode(rollups: Rollups, node: RowNode, query: RowQuery): Promise<MeasuredRow[]> {
  const counted = await countNode(rollups, node, query)
  const happened = counted.filter(({ sums }) => query.dated_by === 'event' || isDatedHere(sums))
  if (happened.length === 0) return []
  const isAsked = query.columns.includes(`${datedBy('sent', query.dated_by)}_c`)
  const ever_sent = !isAsked || (await rollups.readEverSent(node))
  return happened.map((row) => ({ ...row, names: node.names, ever_sent }))
}

type CountedRow = Pick<MeasuredRow, 'days' | 'sums' | 'breakdown'>

async function countNode(rollups: Rollups, node: RowNode, query: RowQuery): Promise<CountedRow[]> {
  if (query.breakdown !== undefined) return countValues(rollups, node, query, query.breakdown)
  const [only, ...others] = query.slices
  if (only !== undefined && others.length === 0) {
    const { cells, sums } = await rollups.sumColumns(node, only, query.columns)
    return cells === 0 ? [] : [{ days: only, sums, breakdown: undefined }]
  }
  const bySlice = groupBySlice(await rollups.readDaySums(node, query.range, query.columns), query)
  return bySlice.map(([days, within]) => ({ days, sums: addUp(query.columns, within), breakdown: undefined }))
}

async function countValues(rollups: Rollups, node: RowNode, query: RowQuery, key: Breakdown): Promise<CountedRow[]> {
  const counts = await readValueCounts(key, rollups, node, query)
  return groupBySlice(counts, query).flatMap(([days, ofSlice]) =>
    [...Map.groupBy(ofSlice, ({ value }) => value)].map(([value, within]) => ({
      days,
      sums: addUp(within[0]?.columns ?? [], within),
      breakdown: { key, value },
    })),
  )
}

/** The slices that have sums, in their order, with them: what is done is in proportion to the sums, not to the slices. */
function groupBySlice<T extends { readonly day: Day }>(
  sums: readonly T[],
  { slices, slicesOf }: RowQuery,
): [DayRange, T[]][] {
  const groups = new Map<number, T[]>()
  for (const one of sums) {
    for (const place of slicesOf(one.day)) {
      const group = groups.get(place)
      if (group === undefined) groups.set(place, [one])
      else group.push(one)
    }
  }
  const places = [...groups.keys()].sort((a, b) => a - b)
  return places.map((place) => [slices[place] as DayRange, groups.get(place) ?? []])
}

function addUp(columns: readonly RollupColumn[], rows: readonly { readonly sums: readonly bigint[] }[]): Sums {
  return new Map(
    columns.map((column, i): [RollupColumn, bigint] => [
      column,
      rows.reduce((sum, row) => sum + (row.sums[i] ?? 0n), 0n),
    ]),
  )
}

/** The sums of rows, for their summary. */
export function sumRows(rows: readonly MeasuredRow[]): Sums {
  const total = new Map<RollupColumn, bigint>()
  for (const { sums } of rows) {
    for (const [column, amount] of sums) total.set(column, (total.get(column) ?? 0n) + amount)
  }
  return total
}

/** The value of a metric in a row, as the wire has it; none where the breakdown does not count what it is made of. */
export function metricOf({ sums, ever_sent }: MeasuredRow, field: string, query: RowQuery): string | undefined {
  const metric = METRIC_BY_FIELD.get(field)
  if (metric === undefined || !isCounted(query.breakdown, metricCounters(metric, query.dated_by))) return undefined
  const counts = (counter: Counter, region_class: RegionClass) => sums.get(`${counter}_${region_class}`) ?? 0n
  return formatMetric(metric, counts, { ...query, ever_sent })
}

/** Writes a row down: the fields asked for that it has, its dates, and the value of its breakdown. */
export function formatRow(row: MeasuredRow, query: RowQuery): InsightsRow {
  const formatted: InsightsRow = {}
  for (const field of query.fields) {
    const value = METRIC_BY_FIELD.has(field) ? metricOf(row, field, query) : row.names[field]
    if (value !== undefined) formatted[field] = value
  }
  formatted.date_start = formatDay(row.days.since)
  formatted.date_stop = formatDay(row.days.until)
  if (row.breakdown !== undefined) formatted[row.breakdown.key] = row.breakdown.value
  return formatted
}

function isDatedHere(sums: Sums): boolean {
  return DELIVERY_DATED.some((counter) => REGION_CLASSES.some((name) => (sums.get(`${counter}_${name}`) ?? 0n) !== 0n))
}
