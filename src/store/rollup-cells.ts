import type { Contribution, FailureContribution } from '../domain/contributions.ts'
import type { Counter } from '../domain/counter.ts'
import { COUNTRY_UNKNOWN } from '../domain/country.ts'
import type { Day } from '../domain/day.ts'
import type { RegionClass } from '../domain/region.ts'

/** The number under which an account's own cells stand, where an ad's stand under the ad's. */
export const ACCOUNT_CELLS = 0

/** A column of `rollup`: a counter and a region class. */
export type RollupColumn = `${Counter}_${RegionClass}`

export interface RollupCell {
  readonly account: number
  readonly ad: number
  readonly day: Day
  readonly amounts: Map<RollupColumn, bigint>
}

export interface CountryCell {
  readonly account: number
  readonly ad: number
  readonly day: Day
  readonly country: string
  readonly amounts: Map<Counter, bigint>
}

export interface FailureCell {
  readonly account: number
  readonly ad: number
  readonly day: Day
  readonly error_message: string
  failed: bigint
}

/** Amounts by rollup cell: what a batch of threads adds, each cell summed once, or what stands in the tables. */
export class RollupCells {
  readonly #days = new Map<string, RollupCell>()
  readonly #countries = new Map<string, CountryCell>()
  readonly #failures = new Map<string, FailureCell>()

  /** The cells of `rollup`, of ads and of accounts. */
  get days(): Iterable<RollupCell> {
    return this.#days.values()
  }

  /** The cells of `rollup_country`, of ads only. */
  get countries(): Iterable<CountryCell> {
    return this.#countries.values()
  }

  /** The cells of `rollup_failure`, of ads and of accounts. */
  get failures(): Iterable<FailureCell> {
    return this.#failures.values()
  }

  /** Adds what a thread of this ad says to the ad's cells of the day and the country, and to its account's. */
  add(account: number, ad: number, { day, counter, region_class, country, amount }: Contribution): void {
    const column: RollupColumn = `${counter}_${region_class}`
    increase(this.dayCell(account, ad, day).amounts, column, amount)
    increase(this.dayCell(account, ACCOUNT_CELLS, day).amounts, column, amount)
    increase(this.countryCell(account, ad, day, country ?? COUNTRY_UNKNOWN).amounts, counter, amount)
  }

  addFailure(account: number, ad: number, { day, error_message, amount }: FailureContribution): void {
    this.failureCell(account, ad, day, error_message).failed += amount
    this.failureCell(account, ACCOUNT_CELLS, day, error_message).failed += amount
  }

  /** Adds the account's own cells of others to these. */
  addAccountCells(others: RollupCells): void {
    for (const { account, ad, day, amounts } of others.days) {
      if (ad !== ACCOUNT_CELLS) continue
      const own = this.dayCell(account, ad, day).amounts
      for (const [column, amount] of amounts) increase(own, column, amount)
    }
    for (const { account, ad, day, error_message, failed } of others.failures) {
      if (ad === ACCOUNT_CELLS) this.failureCell(account, ad, day, error_message).failed += failed
    }
  }

  /** Those of one ad only, without its account's. */
  ofAd(ad: number): RollupCells {
    const cells = new RollupCells()
    for (const [key, cell] of this.#days) if (cell.ad === ad) cells.#days.set(key, cell)
    for (const [key, cell] of this.#countries) if (cell.ad === ad) cells.#countries.set(key, cell)
    for (const [key, cell] of this.#failures) if (cell.ad === ad) cells.#failures.set(key, cell)
    return cells
  }

  dayCell(account: number, ad: number, day: Day): RollupCell {
    return found(this.#days, `${account} ${ad} ${day}`, () => ({ account, ad, day, amounts: new Map() }))
  }

  countryCell(account: number, ad: number, day: Day, country: string): CountryCell {
    const key = `${account} ${ad} ${day} ${country}`
    return found(this.#countries, key, () => ({ account, ad, day, country, amounts: new Map() }))
  }

  failureCell(account: number, ad: number, day: Day, error_message: string): FailureCell {
    const key = `${account} ${ad} ${day} ${error_message}`
    return found(this.#failures, key, () => ({ account, ad, day, error_message, failed: 0n }))
  }
}

function found<T>(cells: Map<string, T>, key: string, empty: () => T): T {
  let cell = cells.get(key)
  if (cell === undefined) {
    cell = empty()
    cells.set(key, cell)
  }
  return cell
}

function increase<K>(amounts: Map<K, bigint>, key: K, amount: bigint): void {
  amounts.set(key, (amounts.get(key) ?? 0n) + amount)
}
