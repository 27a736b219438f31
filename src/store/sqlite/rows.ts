import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { RowKey, Rows, RowTable, RowValue, TableRow } from '../rows.ts'
import { packTrackingId, unpackTrackingId } from './threads.ts'

const LIST_ADS = 'SELECT account, ad FROM ad WHERE (account, ad) > (?, ?) ORDER BY account, ad'

/** The type of a column of tracking ids, which are packed. */
const PACKED = 'ANY'

export class SqliteRows implements Rows {
  readonly #db: DatabaseSync

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  /** A row of an ad has no account here: its ad tells it. */
  async listColumns(table: RowTable): Promise<string[]> {
    const names = [...this.#typesOf(table).keys()]
    return this.#isOfAds(table) ? ['account', ...names] : names
  }

  async count({ name, where = 'TRUE' }: RowTable): Promise<number> {
    return Number(this.#db.prepare(`SELECT COUNT(*) AS rows FROM ${name} WHERE ${where}`).get()?.rows)
  }

  async *pages(
    table: RowTable,
    columns: readonly string[],
    after: RowKey,
    limit: number,
  ): AsyncGenerator<TableRow[], void> {
    const types = this.#typesOf(table)
    const packed = columns.flatMap((column, i) => (types.get(column) === PACKED ? [i] : []))
    let page: RowValue[][] = []
    for (const row of this.#isOfAds(table)
      ? this.#rowsOfAds(table, columns, after)
      : this.#rows(table, columns, after)) {
      for (const i of packed) if (row[i] !== null) row[i] = unpackTrackingId(row[i])
      page.push(row)
      if (page.length < limit) continue
      yield page
      page = []
    }
    if (page.length > 0) yield page
  }

  async add(table: RowTable, columns: readonly string[], rows: readonly TableRow[]): Promise<void> {
    const types = this.#typesOf(table)
    const own = columns.flatMap((column, i) => (types.has(column) ? [{ column, i, type: types.get(column) }] : []))
    const names = own.map(({ column }) => column).join(', ')
    const insert = this.#db.prepare(
      `INSERT INTO ${table.name} (${names}) VALUES (${own.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`,
    )
    for (const row of rows) {
      insert.run(
        ...own.map(({ i, type }) => (type === PACKED ? packTrackingId(row[i] as string | null) : (row[i] as RowValue))),
      )
    }
  }

  async clear({ name, where = 'TRUE' }: RowTable): Promise<void> {
    this.#db.exec(`DELETE FROM ${name} WHERE ${where}`)
  }

  /** The next number of a table is one more than its last. */
  async settle(): Promise<void> {}

  #rows({ name, key, where = 'TRUE' }: RowTable, columns: readonly string[], after: RowKey): Iterable<RowValue[]> {
    return this.#select(`SELECT ${columns.join(', ')} FROM ${name} WHERE ${where}`, key, after)(...after)
  }

  /** Ad by ad, since the rows of one account do not stand together. */
  *#rowsOfAds(table: RowTable, columns: readonly string[], after: RowKey): Iterable<RowValue[]> {
    const [account = '0', ad = '0', ...within] = after
    const values = columns.map((column) => (column === 'account' ? 'CAST(?1 AS INTEGER)' : column))
    const sql = `SELECT ${values.join(', ')} FROM ${table.name} WHERE ad = ?2`
    const order = table.key.slice(2)
    const types = this.#typesOf(table)
    const packed = within.map((value, i) => (types.get(order[i] ?? '') === PACKED ? packTrackingId(value) : value))
    if (within.length > 0) yield* this.#select(sql, order, within)(account, ad, ...packed)
    const rowsOfAd = this.#select(sql, order, [])
    for (const place of this.#db.prepare(LIST_ADS).iterate(account, ad)) {
      yield* rowsOfAd(place.account as number, place.ad as number)
    }
  }

  #select(sql: string, order: readonly string[], after: RowKey): (...values: SQLInputValue[]) => Iterable<RowValue[]> {
    const names = order.join(', ')
    const isAfter = after.length === 0 ? '' : ` AND (${names}) > (${after.map(() => '?').join(', ')})`
    const statement = this.#db.prepare(`${sql}${isAfter}${order.length === 0 ? '' : ` ORDER BY ${names}`}`)
    statement.setReturnArrays(true)
    statement.setReadBigInts(true)
    return (...values) => statement.iterate(...values) as unknown as Iterable<RowValue[]>
  }

  #isOfAds(table: RowTable): boolean {
    return table.key[0] === 'account' && !this.#typesOf(table).has('account')
  }

  #typesOf({ name }: RowTable): Map<string, string> {
    const columns = this.#db.prepare(`PRAGMA table_info(${name})`).all()
    return new Map(columns.map((column) => [String(column.name), String(column.type)]))
  }
}
