import type { Contribution, FailureContribution } from '../domain/contributions.ts'
import { COUNTERS, type Counter } from '../domain/counter.ts'
import { COUNTRY_UNKNOWN } from '../domain/country.ts'
import type { Day } from '../domain/day.ts'
import { dayOfHour, hourOfDay } from '../domain/hour.ts'
import { REGION_CLASSES, type RegionClass } from '../domain/region.ts'

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

/** Days are fewer, so an ad's number and a day make one number. */
const DAYS_MAX = 1_000_000

/** Amounts by rollup cell: what a batch of threads adds, each cell summed once, or what stands in the tables. */
export class RollupCells {
  readonly #ads = new Map<number, RollupCell>()
  readonly #accounts = new Map<number, RollupCell>()
  readonly #failures = new Map<string, FailureCell>()

  /** The cells of `rollup`, and in them those that break them down. */
  days(): Iterable<RollupCell> {
    return [...this.#ads.values(), ...this.#accounts.values()]
  }

  /** The cells of `rollup_failure`. */
  failures(): Iterable<FailureCell> {
    return this.#failures.values()
  }

  /** Adds what a thread of this ad says to the ad's cells, and to its account's. */
  add(account: number, ad: number, contribution: Contribution): void {
    this.#increase(account, ad, contribution, contribution.amount)
  }

  /** Takes back what a thread of this ad said. */
  subtract(account: number, ad: number, contribution: Contribution): void {
    this.#increase(account, ad, contribution, -contribution.amount)
  }

  addFailure(account: number, ad: number, { day, error_message }: FailureContribution, amount: bigint): void {
    this.failureCell(account, ad, day, error_message).failed += amount
    this.failureCell(account, ACCOUNT_CELLS, day, error_message).failed += amount
  }

  /** Adds the account's own cells of others to these. */
  addAccountCells(others: RollupCells): void {
    for (const other of others.#accounts.values()) {
      const own = this.cell(other.account, ACCOUNT_CELLS, other.day)
      addAmounts(own.amounts, other.amounts)
      for (const breakdown of CELL_BREAKDOWN_NAMES) {
        for (const [value, amounts] of other.broken_down[breakdown]) {
          addAmounts(brokenDown(own, breakdown, value), amounts)
        }
      }
    }
    for (const { account, ad, day, error_message, failed } of others.failures()) {
      if (ad === ACCOUNT_CELLS) this.failureCell(account, ad, day, error_message).failed += failed
    }
  }

  /** Those of ads only, without their accounts'. */
  ofAds(): RollupCells {
    const cells = new RollupCells()
    for (const [key, cell] of this.#ads) cells.#ads.set(key, cell)
    for (const [key, cell] of this.#failures) if (cell.ad !== ACCOUNT_CELLS) cells.#failures.set(key, cell)
    return cells
  }

  cell(account: number, ad: number, day: Day): RollupCell {
    const [cells, node] = ad === ACCOUNT_CELLS ? [this.#accounts, account] : [this.#ads, ad]
    return found(cells, node * DAYS_MAX + day, () => ({
      account,
      ad,
      day,
      amounts: zeros(ROLLUP_COLUMNS.length),
      broken_down: { country: new Map(), hour: new Map(), btn_name: new Map() },
    }))
  }

  failureCell(account: number, ad: number, day: Day, error_message: string): FailureCell {
    const key = `${account} ${ad} ${day} ${error_message}`
    return found(this.#failures, key, () => ({ account, ad, day, error_message, failed: 0n }))
  }

  #increase(account: number, ad: number, contribution: Contribution, amount: bigint): void {
    const day = dayOfHour(contribution.hour)
    increaseCell(this.cell(account, ad, day), contribution, amount)
    increaseCell(this.cell(account, ACCOUNT_CELLS, day), contribution, amount)
  }
}

/** The amounts of a country, an hour of the day or a button within a cell. */
export function brokenDown(cell: RollupCell, breakdown: CellBreakdown, value: string | number): bigint[] {
  return found(cell.broken_down[breakdown], value, () => zeros(CELL_BREAKDOWNS[breakdown].length))
}

function increaseCell(cell: RollupCell, contribution: Contribution, amount: bigint): void {
  const { hour, counter, region_class, country, btn_name } = contribution
  const place = COUNTER_PLACES[counter]
  const column = columnPlace(place, region_class)
  increase(cell.amounts, column, amount)
  increase(brokenDown(cell, 'country', country ?? COUNTRY_UNKNOWN), place, amount)
  increase(brokenDown(cell, 'hour', hourOfDay(hour)), column, amount)
  if (btn_name === null) return
  increase(brokenDown(cell, 'btn_name', btn_name), columnPlace(BUTTON_PLACES[place] as number, region_class), amount)
}

/** The columns of some counters, in the order of `columnPlace`. */
export function columnsOf(counters: readonly Counter[]): RollupColumn[] {
  return counters.flatMap((counter) => REGION_CLASSES.map((region_class): RollupColumn => `${counter}_${region_class}`))
}

function columnPlace(place: number, region_class: RegionClass): number {
  return place * REGION_CLASSES.length + CLASS_PLACES[region_class]
}

function found<K, T>(known: Map<K, T>, key: K, make: () => T): T {
  let one = known.get(key)
  if (one === undefined) {
    one = make()
    known.set(key, one)
  }
  return one
}

function addAmounts(to: bigint[], amounts: readonly bigint[]): void {
  for (const [place, amount] of amounts.entries()) increase(to, place, amount)
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
