import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** So many columns are named one by one in a statement; where more change, all are. */
const COLUMNS_NAMED_MAX = 6

/** Statements that are kept prepared; past it all are dropped. */
const STATEMENTS_MAX = 500

/** A table of counts: what tells its rows apart, and its amounts. */
export class CellTable {
  readonly #db: DatabaseSync
  readonly #name: string
  readonly #key: readonly string[]
  readonly #columns: readonly string[]
  readonly #removeEmpty: StatementSync
  /** By the columns they add to, told by the sum of their powers of two. */
  readonly #adding = new Map<number, StatementSync>()

  constructor(db: DatabaseSync, name: string, key: readonly string[], columns: readonly string[]) {
    this.#db = db
    this.#name = name
    this.#key = key
    this.#columns = columns
    const empty = [...key.map((column) => `${column} = ?`), ...columns.map((column) => `${column} = 0`)]
    this.#removeEmpty = db.prepare(`DELETE FROM ${name} WHERE ${empty.join(' AND ')}`)
  }

  /**
   * Adds to a row, which is made where it is missing and deleted when all of it returns to zero. Only the columns that
   * change are written: of thirty-three, a fact changes two or three.
   */
  add(key: readonly (number | string)[], amounts: readonly bigint[]): void {
    const values: (number | string | bigint)[] = [...key]
    let places = 0
    let isTaken = false
    for (let i = 0; i < amounts.length; i++) {
      const amount = amounts[i] as bigint
      if (amount === 0n) continue
      values.push(amount)
      places += 2 ** i
      if (amount < 0n) isTaken = true
    }
    const changed = values.length - key.length
    if (changed === 0) return
    // Few columns come in few combinations; of many there are too many to keep a statement for each.
    if (changed > COLUMNS_NAMED_MAX) this.#statement(2 ** amounts.length - 1).run(...key, ...amounts)
    else this.#statement(places).run(...values)
    if (isTaken) this.#removeEmpty.run(...key)
  }

  #statement(places: number): StatementSync {
    const known = this.#adding.get(places)
    if (known !== undefined) return known
    if (this.#adding.size >= STATEMENTS_MAX) this.#adding.clear()
    const columns = this.#columns.filter((_, i) => Math.floor(places / 2 ** i) % 2 === 1)
    const names = [...this.#key, ...columns]
    const statement = this.#db.prepare(
      `INSERT INTO ${this.#name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})
       ON CONFLICT (${this.#key.join(', ')}) DO UPDATE SET ${columns.map((c) => `${c} = ${c} + excluded.${c}`).join(', ')}`,
    )
    this.#adding.set(places, statement)
    return statement
  }
}
