import type { Counter } from '../domain/counter.ts'
import type { Day, DayRange } from '../domain/day.ts'
import type { CellBreakdown, RollupCells, RollupColumn } from './rollup-cells.ts'

/** The cells that answer for a node: its ads' cells, or the account's own, which stand under ad 0. */
export interface NodeCells {
  readonly account: number
  readonly ads: readonly number[]
}

/** The sums of a range of days in the order of the columns asked for, and of how many cells: none where nothing happened. */
export interface ColumnSums {
  readonly cells: number
  readonly sums: readonly bigint[]
}

/** The sums of one day, in the order of the columns asked for. */
export interface DaySums {
  readonly day: Day
  readonly sums: readonly bigint[]
}

/** The sums of one value of a breakdown, on one day or over all days, in the order of the columns asked for. */
export interface ValueSums {
  readonly value: string | number
  /** The first of the days where they are summed over all of them. */
  readonly day: Day
  readonly sums: readonly bigint[]
}

/** How the cells of a breakdown are summed. */
export interface BreakdownSum {
  readonly breakdown: CellBreakdown
  /** Some of its columns in CELL_BREAKDOWNS. */
  readonly columns: readonly string[]
  readonly by_day: boolean
}

export interface FailureCount {
  readonly day: Day
  readonly error_message: string
  readonly failed: number
}

/** Counts per node and day, from which every answer is computed. */
export interface Rollups {
  add(cells: RollupCells): Promise<void>
  /** All cells of an ad, or of an account under ad 0. */
  readCells(account: number, ad: number): Promise<RollupCells>
  /** Puts these cells in the place of all cells of an ad. */
  replace(account: number, ad: number, cells: RollupCells): Promise<void>
  /** Makes an account's own cells the sums of its ads' again. */
  sumAccount(account: number): Promise<void>
  /** Every (account, ad) under which a cell stands. */
  listNodes(): Promise<{ account: number; ad: number }[]>

  sumColumns(node: NodeCells, days: DayRange, columns: readonly RollupColumn[]): Promise<ColumnSums>
  /** The same day by day, of the days that have a cell. */
  readDaySums(node: NodeCells, days: DayRange, columns: readonly RollupColumn[]): Promise<DaySums[]>
  /** The same by country, hour of the day or button, in the order of the values. */
  readBreakdownSums(node: NodeCells, days: DayRange, sum: BreakdownSum): Promise<ValueSums[]>
  /** How many cells there are on these days, or how many that break them down. */
  countCells(node: NodeCells, days: DayRange, breakdown?: CellBreakdown): Promise<number>
  /** From the first to the last day with a cell; `undefined` for a node without any. */
  readDays(node: NodeCells): Promise<DayRange | undefined>
  /** Whether the node ever had a sent fact, on any day and in any region. */
  readEverSent(node: NodeCells): Promise<boolean>
  readFailures(node: NodeCells): Promise<FailureCount[]>
  /** Sums over the ads that a page's webhooks told of, by country. */
  sumPage(page_id: string, counters: readonly Counter[]): Promise<Map<string, Map<Counter, bigint>>>
}
