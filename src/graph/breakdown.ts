import { COUNTERS, type Counter } from '../domain/counter.ts'
import { COUNTRY_UNKNOWN } from '../domain/country.ts'
import type { Day } from '../domain/day.ts'
import { formatHourOfDay } from '../domain/hour.ts'
import { type RegionClass, regionClassOf } from '../domain/region.ts'
import { BUTTON_COUNTERS, type CellBreakdown, columnsOf, type RollupColumn } from '../store/rollup-cells.ts'
import type { NodeCells, Rollups } from '../store/rollups.ts'
import type { Breakdown } from './insights-parameters.ts'
import type { RowQuery, Sums } from './insights-row.ts'

/** What was counted under one value of a breakdown, on one day or, for a single slice, over all of it. */
export interface ValueCounts {
  /** As the wire has it. */
  readonly value: string
  readonly day: Day
  readonly sums: Sums
}

const CELLS: Readonly<Record<Breakdown, CellBreakdown>> = {
  country: 'country',
  hourly_stats_aggregated_by_advertiser_time_zone: 'hour',
  marketing_messages_btn_name: 'btn_name',
}

/** The cells that a breakdown is read from; without one, those of the days. */
export function cellsOf(breakdown: Breakdown | undefined): CellBreakdown | undefined {
  return breakdown && CELLS[breakdown]
}

type ReadValueCounts = (rollups: Rollups, node: NodeCells, query: RowQuery) => Promise<ValueCounts[]>

const READERS: Readonly<Record<Breakdown, ReadValueCounts>> = {
  country: readCountries,
  hourly_stats_aggregated_by_advertiser_time_zone: readHours,
  marketing_messages_btn_name: readButtons,
}

/** Reads what was counted of a node by the values of a breakdown, in their order. */
export function readValueCounts(
  breakdown: Breakdown,
  rollups: Rollups,
  node: NodeCells,
  query: RowQuery,
): Promise<ValueCounts[]> {
  return READERS[breakdown](rollups, node, query)
}

/** Whether rows of a breakdown have counters: those by button count clicks alone, the others everything. */
export function isCounted(breakdown: Breakdown | undefined, counters: readonly Counter[]): boolean {
  if (breakdown !== 'marketing_messages_btn_name') return true
  return counters.every((counter) => (BUTTON_COUNTERS as readonly Counter[]).includes(counter))
}

/** A country tells the class in which its counts stand. */
async function readCountries(rollups: Rollups, node: NodeCells, query: RowQuery): Promise<ValueCounts[]> {
  const { columns } = query.measures
  const counters = COUNTERS.filter((counter) => columns.includes(`${counter}_c`))
  const sum = { breakdown: 'country', columns: counters, by_day: query.slices.length > 1 } as const
  const read = await rollups.readBreakdownSums(node, query.range, sum)
  const ofClass = (name: RegionClass) => counters.map((counter): RollupColumn => `${counter}_${name}`)
  const place = { a: placer(ofClass('a'), columns), b: placer(ofClass('b'), columns), c: placer(ofClass('c'), columns) }
  return read.map(({ value, day, sums }) => {
    const region_class = regionClassOf(value === COUNTRY_UNKNOWN ? null : String(value))
    return { value: String(value), day, sums: place[region_class](sums) }
  })
}

async function readHours(rollups: Rollups, node: NodeCells, query: RowQuery): Promise<ValueCounts[]> {
  const { columns } = query.measures
  const sum = { breakdown: 'hour', columns, by_day: query.slices.length > 1 } as const
  const read = await rollups.readBreakdownSums(node, query.range, sum)
  return read.map(({ value, day, sums }) => ({ value: formatHourOfDay(Number(value)), day, sums }))
}

const BUTTON_COLUMNS = columnsOf(BUTTON_COUNTERS)

/** What the clicks print as whose button no fact named. */
const BUTTON_UNKNOWN = 'unknown'

/** Clicks without the name of a button have no cells of their own: they are all clicks but the named ones. */
async function readButtons(rollups: Rollups, node: NodeCells, { range, measures }: RowQuery): Promise<ValueCounts[]> {
  const columns = BUTTON_COLUMNS
  const named = await rollups.readBreakdownSums(node, range, { breakdown: 'btn_name', columns, by_day: true })
  const namedByDay = Map.groupBy(named, ({ day }) => day)
  const all = await rollups.readDaySums(node, range, columns)
  const unnamed = all.map(({ day, sums }) => {
    const ofDay = namedByDay.get(day) ?? []
    return {
      value: BUTTON_UNKNOWN,
      day,
      sums: sums.map((sum, i) => ofDay.reduce((left, one) => left - (one.sums[i] ?? 0n), sum)),
    }
  })
  const counted = [...named, ...unnamed.filter(({ sums }) => sums.some((sum) => sum !== 0n))]
  const place = placer(columns, measures.columns)
  return counted.map(({ value, day, sums }) => ({ value: String(value), day, sums: place(sums) }))
}

/** Puts sums of some columns into the order of others; what is asked for and was not summed is nothing. */
function placer(from: readonly RollupColumn[], to: readonly RollupColumn[]): (sums: Sums) => Sums {
  const places = to.map((column) => from.indexOf(column))
  return (sums) => places.map((place) => (place < 0 ? 0n : (sums[place] ?? 0n)))
}
