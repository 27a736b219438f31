import type { Contribution, FailureContribution } from '../domain/contributions.ts'
import { COUNTERS, type Counter } from '../domain/counter.ts'
import { COUNTRY_UNKNOWN } from '../domain/country.ts'
import type { Day } from '../domain/day.ts'
import { REGION_CLASSES, type RegionClass } from '../domain/region.ts'

/** The number under which an account's own cells stand, where an ad's stand under the ad's. */
export const ACCOUNT_CELLS = 0

/** A column of `rollup`: a counter and a region class. */
export type RollupColumn = `${Counter}_${RegionClass}`

/** The columns of `rollup`, counter by counter. */
export const ROLLUP_COLUMNS: readonly RollupColumn[] = COUNTERS.flatMap((counter) =>
  REGION_CLASSES.map((region_class): RollupColumn => `${counter}_${region_class}`),
)

/** The amounts of one node and day. */
export interface RollupCell {
  readonly account: number
  readonly ad: number
  readonly day: Day
  /** In the order of ROLLUP_COLUMNS. */
  readonly amounts: bigint[]
  /** The same by country, in the order of COUNTERS; an account's own cells have none. */
  readonly countries: Map<string, bigint[]>
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

/** Days are fewer, so an ad's number and a day make one number. */
const DAYS_MAX = 1_000_000

/** Amounts by rollup cell: what a batch of threads adds, each cell summed once, or what stands in the tables. */
export class RollupCells {
  readonly #ads = new Map<number, RollupCell>()
  readonly #accounts = new Map<number, RollupCell>()
  readonly #failures = new Map<string, FailureCell>()

  /** The cells of `rollup`, and in them those of `rollup_country`. */
  days(): Iterable<RollupCell> {
    return [...this.#ads.values(), ...this.#accounts.values()]
  }

  /** The cells of `rollup_failure`. */
  failures(): Iterable<FailureCell> {
    return this.#failures.values()
  }

  /** Adds what a thread of this ad says to the ad's cells of the day and the country, and to its account's. */
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
    for (const { account, day, amounts } of others.#accounts.values()) {
      const own = this.cell(account, ACCOUNT_CELLS, day).amounts
      for (const [i, amount] of amounts.entries()) increase(own, i, amount)
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
      countries: new Map(),
    }))
  }

  failureCell(account: number, ad: number, day: Day, error_message: string): FailureCell {
    const key = `${account} ${ad} ${day} ${error_message}`
    return found(this.#failures, key, () => ({ account, ad, day, error_message, failed: 0n }))
  }

  #increase(account: number, ad: number, contribution: Contribution, amount: bigint): void {
    const { day, counter, region_class, country } = contribution
    const place = COUNTER_PLACES[counter]
    const column = place * REGION_CLASSES.length + CLASS_PLACES[region_class]
    const cell = this.cell(account, ad, day)
    increase(cell.amounts, column, amount)
    increase(countryAmounts(cell, country ?? COUNTRY_UNKNOWN), place, amount)
    increase(this.cell(account, ACCOUNT_CELLS, day).amounts, column, amount)
  }
}

/** The amounts of a country within a cell. */
export function countryAmounts(cell: RollupCell, country: string): bigint[] {
  return found(cell.countries, country, () => zeros(COUNTERS.length))
}

function found<K, T>(known: Map<K, T>, key: K, make: () => T): T {
  let one = known.get(key)
  if (one === undefined) {
    one = make()
    known.set(key, one)
  }
  return one
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
