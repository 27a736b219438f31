import { type KeyColumns, removing } from './removing.ts'
import type { Session } from './session.ts'
import { rowsOfTenant, writeRows } from './tenant.ts'

/** A cell as it is added: what tells it apart within its account, and its amounts. */
export interface CellRow {
  readonly key: readonly (number | string)[]
  readonly amounts: readonly bigint[]
}

/** A table of counts: what tells its rows apart within an account, and its amounts. */
export class CellTable {
  readonly #name: string
  readonly #key: readonly string[]
  readonly #columns: readonly string[]
  readonly #removeEmpty: string

  constructor(name: string, key: readonly string[], columns: readonly string[]) {
    this.#name = name
    this.#key = key
    this.#columns = columns
    const types = Object.fromEntries(key.map((column) => [column, typeOf(column)]))
    this.#removeEmpty = removing(name, types, columns.map((column) => `${column} = 0`).join(' AND '))
  }

  /**
   * Adds to rows of an account in the order of their keys, in which everyone locks them. A row is made where it is missing,
   * and deleted when all of it returns to zero. Only the columns that change anywhere are written.
   */
  async add(session: Session, account: number, cells: readonly CellRow[]): Promise<void> {
    const changed = cells.filter(({ amounts }) => amounts.some((amount) => amount !== 0n))
    if (changed.length === 0) return
    const sorted = changed.toSorted((a, b) => compareKeys(a.key, b.key))
    const places = this.#columns.flatMap((_, i) => (sorted.some(({ amounts }) => amounts[i] !== 0n) ? [i] : []))
    const amounts = places.map((i) => sorted.map((cell) => cell.amounts[i] as bigint))
    const taken = sorted.filter((cell) => cell.amounts.some((amount) => amount < 0n))
    await Promise.all([
      writeRows(session, this.#adding(places), account, [...this.#keysOf(sorted), ...amounts]),
      taken.length === 0 ? undefined : session.run(this.#removeEmpty, account, ...this.#keysOf(taken)),
    ])
  }

  #keysOf(cells: readonly CellRow[]): (number | string)[][] {
    return this.#key.map((_, i) => cells.map(({ key }) => key[i] as number | string))
  }

  #adding(places: readonly number[]): string {
    const columns = places.map((i) => this.#columns[i] as string)
    const arrays = [...this.#keyArrays(), ...columns.map((_, i) => `$${this.#key.length + 2 + i}::bigint[]`)]
    const sums = columns.map((column) => `${column} = ${this.#name}.${column} + excluded.${column}`)
    return `INSERT INTO ${this.#name} (account, ${[...this.#key, ...columns].join(', ')})
      ${rowsOfTenant(arrays.join(', '))}
      ON CONFLICT (account, ${this.#key.join(', ')}) DO UPDATE SET ${sums.join(', ')}`
  }

  #keyArrays(): string[] {
    return this.#key.map((column, i) => `$${i + 2}::${typeOf(column)}[]`)
  }
}

/** The columns of keys that are numbers. */
const INTEGERS: ReadonlySet<string> = new Set(['ad', 'day', 'hour'])

function typeOf(column: string): KeyColumns[string] {
  return INTEGERS.has(column) ? 'integer' : 'text'
}

function compareKeys(a: CellRow['key'], b: CellRow['key']): number {
  const i = a.findIndex((value, place) => value !== b[place])
  if (i < 0) return 0
  return (a[i] as number | string) < (b[i] as number | string) ? -1 : 1
}
