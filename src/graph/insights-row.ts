import { type Day, type DayRange, formatDay } from '../domain/day.ts'
import { formatMetric } from '../domain/metric.ts'
import type { Rollups } from '../store/rollups.ts'
import { readValueCounts } from './breakdown.ts'
import type { Breakdown } from './insights-parameters.ts'
import type { Measures } from './measures.ts'
import type { RowNode } from './row-node.ts'

/** A row as the wire has it: every value is text (contract 5.4). */
export type InsightsRow = Record<string, string>

/** What the rows of a result have in common. */
export interface RowQuery {
  readonly fields: readonly string[]
  readonly breakdown: Breakdown | undefined
  readonly measures: Measures
  readonly slices: readonly DayRange[]
  /** The places of the slices that a day lies in. */
  readonly slicesOf: (day: Day) => readonly number[]
  /** From the first day of the slices to the last. */
  readonly range: DayRange
  readonly currency: string
}

/** In the order of the columns of the query's measures. */
export type Sums = readonly bigint[]

/** A row before it is written down: its counts are still there to be filtered by, sorted by and summed. */
export interface MeasuredRow {
  readonly names: Readonly<Record<string, string>>
  readonly days: DayRange
  readonly sums: Sums
  /** Whether the node ever had a sent fact. */
  readonly ever_sent: boolean
  /** Its value of the query's breakdown. */
  readonly value: string | undefined
}

/** The rows of one node in which anything happened. */
export async function measureNode(rollups: Rollups, node: RowNode, query: RowQuery): Promise<MeasuredRow[]> {
  const { telling, asks_ever_sent } = query.measures
  const counted = await countNode(rollups, node, query)
  const happened = telling === undefined ? counted : counted.filter(({ sums }) => telling.some((at) => sums[at] !== 0n))
  if (happened.length === 0) return []
  const ever_sent = !asks_ever_sent || (await rollups.readEverSent(node))
  const { names } = node
  return happened.map(({ days, sums, value }) => ({ names, days, sums, ever_sent, value }))
}

type CountedRow = Pick<MeasuredRow, 'days' | 'sums' | 'value'>

async function countNode(rollups: Rollups, node: RowNode, query: RowQuery): Promise<CountedRow[]> {
  if (query.breakdown !== undefined) return countValues(rollups, node, query, query.breakdown)
  const { slices, range, measures } = query
  const [only] = slices
  if (only !== undefined && slices.length === 1) {
    const { cells, sums } = await rollups.sumColumns(node, only, measures.columns)
    return cells === 0 ? [] : [{ days: only, sums, value: undefined }]
  }
  const bySlice = groupBySlice(await rollups.readDaySums(node, range, measures.columns), query)
  return bySlice.map(([days, within]) => ({ days, sums: addUp(within), value: undefined }))
}

async function countValues(rollups: Rollups, node: RowNode, query: RowQuery, key: Breakdown): Promise<CountedRow[]> {
  const counts = await readValueCounts(key, rollups, node, query)
  return groupBySlice(counts, query).flatMap(([days, ofSlice]) =>
    [...Map.groupBy(ofSlice, ({ value }) => value)].map(([value, within]) => ({ days, sums: addUp(within), value })),
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

/** The sums of one row or more, added up. */
export function addUp([first, ...others]: readonly { readonly sums: Sums }[]): Sums {
  const sums = first?.sums ?? []
  return others.length === 0 ? sums : sums.map((sum, i) => others.reduce((all, one) => all + (one.sums[i] ?? 0n), sum))
}

/** The value of a metric in a row, as the wire has it; none where the breakdown does not count what it is made of. */
export function metricOf(row: MeasuredRow, field: string, { measures, currency }: RowQuery): string | undefined {
  const placed = measures.metrics.get(field)
  if (placed === undefined) return undefined
  const { sums, ever_sent } = row
  const amounts = placed.places.map((places) => addPlaces(sums, places))
  return formatMetric(placed.metric, amounts, { currency, ever_sent })
}

function addPlaces(sums: Sums, places: readonly number[]): bigint {
  let amount = 0n
  for (const at of places) amount += sums[at] ?? 0n
  return amount
}

/** Writes a row down: the fields asked for that it has, its dates, and the value of its breakdown. */
export function formatRow(row: MeasuredRow, query: RowQuery): InsightsRow {
  const formatted: InsightsRow = {}
  for (const field of query.fields) {
    const value = metricOf(row, field, query) ?? row.names[field]
    if (value !== undefined) formatted[field] = value
  }
  formatted.date_start = formatDay(row.days.since)
  formatted.date_stop = formatDay(row.days.until)
  if (query.breakdown !== undefined && row.value !== undefined) formatted[query.breakdown] = row.value
  return formatted
}
