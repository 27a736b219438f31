import { type Contribution, countThread, type FailureContribution } from '../domain/contributions.ts'
import { COUNTERS, type Counter } from '../domain/counter.ts'
import { COUNTRY_UNKNOWN } from '../domain/country.ts'
import type { Day } from '../domain/day.ts'
import { dayOfHour, type Hour, hourOfDay } from '../domain/hour.ts'
import { REGION_CLASSES, type RegionClass } from '../domain/region.ts'
import type { Resolution } from '../domain/resolution.ts'

/** The number under which an account's own cells stand, where an ad's stand under the ad's. */
export const ACCOUNT_CELLS = 0

/** A counter and a region class. */
export type RollupColumn = `${Counter}_${RegionClass}`

/** The columns of `rollup`, counter by counter. */
export const ROLLUP_COLUMNS: readonly RollupColumn[] = columnsOf(COUNTERS)

/** The counters of clicks by their button: what is counted by message is no button's. */
export const BUTTON_COUNTERS = ['link_btn_click', 'link_btn_click_by_delivery'] as const satisfies readonly Counter[]

/**
 * What the counts of a node and day are broken down by, each in a table of its own, `rollup_<name>`, whose column of the
 * same name has the value: a country, the hour of the day, the name of a button. With the columns of its amounts; a country
 * tells the region class, so it needs none.
 */
export const CELL_BREAKDOWNS = {
  country: COUNTERS as readonly string[],
  hour: ROLLUP_COLUMNS as readonly string[],
  btn_name: columnsOf(BUTTON_COUNTERS) as readonly string[],
} as const

export type CellBreakdown = keyof typeof CELL_BREAKDOWNS

export const CELL_BREAKDOWN_NAMES = Object.keys(CELL_BREAKDOWNS) as CellBreakdown[]

/** Every table of counts: what its key has after account and ad, and its amounts. */
export const ROLLUP_TABLES: readonly {
  readonly name: string
  readonly key: readonly string[]
  readonly columns: readonly string[]
}[] = [
  { name: 'rollup', key: ['day'], columns: ROLLUP_COLUMNS },
  ...CELL_BREAKDOWN_NAMES.map((breakdown) => ({
    name: `rollup_${breakdown}`,
    key: ['day', breakdown],
    columns: CELL_BREAKDOWNS[breakdown],
  })),
  { name: 'rollup_failure', key: ['day', 'error_message'], columns: ['failed'] },
]

/** The amounts of one node and day. */
export interface RollupCell {
  readonly account: number
  readonly ad: number
  readonly day: Day
  /** In the order of ROLLUP_COLUMNS. */
  readonly amounts: bigint[]
  /** The same by country, hour and button, each in the order of its own columns. */
  readonly broken_down: Readonly<Record<CellBreakdown, Map<string | number, bigint[]>>>
}

export interface FailureCell {
  readonly account: number
  readonly ad: number
  readonly day: Day
  readonly error_message: string
  failed: bigint
}

const COUNTER_PLACES = placesOf(COUNTERS)
const CLASS_PLACES = placesOf(REGION_CLASSES)

/** Where a counter stands among those of buttons; -1 where it is none of them. */
const BUTTON_PLACES = COUNTERS.map((counter) => (BUTTON_COUNTERS as readonly Counter[]).indexOf(counter))

/** Days are fewer, so the number of an ad, or of an account, and a day make one number. */
const DAYS_MAX = 1_000_000

/** Amounts by rollup cell: what a batch of threads adds, each cell summed once, or what stands in the tables. */
export class RollupCells {
  /** By number and day; those of an account's own are less than zero. */
  readonly #cells = new Map<number, RollupCell>()
  readonly #failures = new Map<string, FailureCell>()

  /** How many cells there are, those of failures among them. */
  get size(): number {
    return this.#cells.size + this.#failures.size
  }

  /** The cells of `rollup`, and in them those that break them down. */
  days(): Iterable<RollupCell> {
    return this.#cells.values()
  }

  /** The cells of `rollup_failure`. */
  failures(): Iterable<FailureCell> {
    return this.#failures.values()
  }

  /** Adds what a thread of this ad says to the ad's cells. */
  addThread(account: number, ad: number, thread: Resolution): void {
    countThread(thread, (counter, hour, amount, btn_name) =>
      this.#increase(account, ad, thread, counter, hour, btn_name, amount),
    )
  }

  /** Takes back what a thread of this ad said. */
  subtractThread(account: number, ad: number, thread: Resolution): void {
    countThread(thread, (counter, hour, amount, btn_name) =>
      this.#increase(account, ad, thread, counter, hour, btn_name, -amount),
    )
  }

  /** Adds one of the things that a thread says. */
  add(account: number, ad: number, contribution: Contribution): void {
    const { counter, hour, btn_name, amount } = contribution
    this.#increase(account, ad, contribution, counter, hour, btn_name, amount)
  }

  addFailure(account: number, ad: number, { day, error_message }: FailureContribution, amount: bigint): void {
    this.failureCell(account, ad, day, error_message).failed += amount
  }

  addAll(others: RollupCells): void {
    for (const other of others.days()) addCell(this.cell(other.account, other.ad, other.day), other)
    for (const { account, ad, day, error_message, failed } of others.failures()) {
      this.failureCell(account, ad, day, error_message).failed += failed
    }
  }

  /** What these cells of ads are to the accounts' own. */
  ofAccounts(): RollupCells {
    const cells = new RollupCells()
    for (const ofAd of this.days()) addCell(cells.cell(ofAd.account, ACCOUNT_CELLS, ofAd.day), ofAd)
    for (const { account, day, error_message, failed } of this.failures()) {
      cells.failureCell(account, ACCOUNT_CELLS, day, error_message).failed += failed
    }
    return cells
  }

  cell(account: number, ad: number, day: Day): RollupCell {
    const key = ad === ACCOUNT_CELLS ? -(account * DAYS_MAX + day) : ad * DAYS_MAX + day
    let cell = this.#cells.get(key)
    if (cell === undefined) {
      const broken_down = { country: new Map(), hour: new Map(), btn_name: new Map() }
      cell = { account, ad, day, amounts: zeros(ROLLUP_COLUMNS.length), broken_down }
      this.#cells.set(key, cell)
    }
    return cell
  }

  failureCell(account: number, ad: number, day: Day, error_message: string): FailureCell {
    const key = `${account} ${ad} ${day} ${error_message}`
    let cell = this.#failures.get(key)
    if (cell === undefined) {
      cell = { account, ad, day, error_message, failed: 0n }
      this.#failures.set(key, cell)
    }
    return cell
  }

  #increase(
    account: number,
    ad: number,
    { region_class, country }: Pick<Contribution, 'region_class' | 'country'>,
    counter: Counter,
    hour: Hour,
    btn_name: string | null,
    amount: bigint,
  ): void {
    const cell = this.cell(account, ad, dayOfHour(hour))
    const place = COUNTER_PLACES[counter]
    const column = columnPlace(place, region_class)
    increase(cell.amounts, column, amount)
    increase(brokenDown(cell, 'country', country ?? COUNTRY_UNKNOWN), place, amount)
    increase(brokenDown(cell, 'hour', hourOfDay(hour)), column, amount)
    if (btn_name === null) return
    increase(brokenDown(cell, 'btn_name', btn_name), columnPlace(BUTTON_PLACES[place] as number, region_class), amount)
  }
}

/** The amounts of a country, an hour of the day or a button within a cell. */
export function brokenDown(cell: RollupCell, breakdown: CellBreakdown, value: string | number): bigint[] {
  const byValue = cell.broken_down[breakdown]
  let amounts = byValue.get(value)
  if (amounts === undefined) {
    amounts = zeros(CELL_BREAKDOWNS[breakdown].length)
    byValue.set(value, amounts)
  }
  return amounts
}

/** The columns of some counters, in the order of `columnPlace`. */
export function columnsOf(counters: readonly Counter[]): RollupColumn[] {
  return counters.flatMap((counter) => REGION_CLASSES.map((region_class): RollupColumn => `${counter}_${region_class}`))
}

function columnPlace(place: number, region_class: RegionClass): number {
  return place * REGION_CLASSES.length + CLASS_PLACES[region_class]
}

function addCell(to: RollupCell, cell: RollupCell): void {
  addAmounts(to.amounts, cell.amounts)
  for (const breakdown of CELL_BREAKDOWN_NAMES) {
    for (const [value, amounts] of cell.broken_down[breakdown]) addAmounts(brokenDown(to, breakdown, value), amounts)
  }
}

function addAmounts(to: bigint[], amounts: readonly bigint[]): void {
  for (let place = 0; place < amounts.length; place++) {
    const amount = amounts[place] as bigint
    if (amount !== 0n) increase(to, place, amount)
  }
}

function increase(amounts: bigint[], place: number, amount: bigint): void {
  amounts[place] = (amounts[place] as bigint) + amount
}

function zeros(length: number): bigint[] {
  return new Array<bigint>(length).fill(0n)
}

function placesOf<Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, place) => [name, place])) as Record<Name, number>
}
