import { keyOf, type RowKey, type Rows, type RowTable, type RowValue, type TableRow } from '../rows.ts'
import { columnsOf, type Session } from './session.ts'
import { packTrackingId, unpackTrackingId } from './threads.ts'

const LIST_COLUMNS = `
  SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
  WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`

/** The columns that number their rows. */
const LIST_NUMBERS = `
  SELECT relname AS name, attname AS column FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
  WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND attidentity <> ''`

const MAKE_AD_LOCKS = 'INSERT INTO ad_lock (account, ad) SELECT account, ad FROM ad ON CONFLICT DO NOTHING'

interface Column {
  readonly name: string
  readonly type: string
  /** Whether it holds tracking ids, which are packed. */
  readonly is_packed: boolean
}

export class PostgresRows implements Rows {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async listColumns(table: RowTable): Promise<string[]> {
    return [...(await this.#columnsOf(table)).keys()]
  }

  async count({ name, where = 'TRUE' }: RowTable): Promise<number> {
    return Number((await this.#session.row(`SELECT COUNT(*) AS rows FROM ${name} WHERE ${where}`))?.rows)
  }

  async *pages(
    table: RowTable,
    names: readonly string[],
    after: RowKey,
    limit: number,
  ): AsyncGenerator<TableRow[], void> {
    const known = await this.#columnsOf(table)
    const columns = names.map((name) => known.get(name) as Column)
    const key = table.key.map((name) => known.get(name) as Column)
    for (let last = after; ; ) {
      const sql = selecting(table, columns, last.length === 0 ? undefined : key)
      const values = last.map((value, i) => (key[i]?.is_packed ? packTrackingId(value) : value))
      const rows = (await this.#session.lists(sql, limit, ...values)) as RowValue[][]
      for (const row of rows) unpack(row, columns)
      if (rows.length > 0) yield rows
      if (rows.length < limit) return
      last = keyOf(table, names, rows.at(-1) as TableRow)
    }
  }

  /** A tenant's rows account by account: each statement names one, and goes where its rows are. */
  async add(table: RowTable, names: readonly string[], rows: readonly TableRow[]): Promise<void> {
    const known = await this.#columnsOf(table)
    const isByAccount = table.key.length > 1 && table.key[0] === 'account'
    if (!isByAccount)
      return this.#insert(
        table,
        names.map((name) => known.get(name) as Column),
        rows,
      )
    const place = names.indexOf('account')
    const others = names.toSpliced(place, 1).map((name) => known.get(name) as Column)
    for (const [account, ofAccount] of Map.groupBy(rows, (row) => row[place] as bigint)) {
      await this.#insert(
        table,
        others,
        ofAccount.map((row) => row.toSpliced(place, 1)),
        account,
      )
    }
  }

  async clear({ name, where = 'TRUE' }: RowTable): Promise<void> {
    await this.#session.run(`DELETE FROM ${name} WHERE ${where}`)
  }

  /** Each number goes on after the highest, and every ad can be locked. */
  async settle(): Promise<void> {
    await this.#session.run(MAKE_AD_LOCKS)
    for (const { name, column } of await this.#session.rows(LIST_NUMBERS)) {
      await this.#session.run(
        `SELECT setval(pg_get_serial_sequence('${name}', '${column}'), GREATEST(MAX(${column}), 0) + 1, FALSE) FROM ${name}`,
      )
    }
  }

  async #insert(
    { name }: RowTable,
    columns: readonly Column[],
    rows: readonly TableRow[],
    account?: bigint,
  ): Promise<void> {
    const values = columnsOf(rows, columns.length)
    for (const [i, { is_packed }] of columns.entries()) if (is_packed) values[i] = (values[i] ?? []).map(packTrackingId)
    const first = account === undefined ? [] : [account]
    const arrays = columns.map(({ type }, i) => `$${i + 1 + first.length}::${type}[]`)
    await this.#session.run(
      `INSERT INTO ${name} (${[...first.map(() => 'account'), ...columns.map((column) => column.name)].join(', ')})
       SELECT ${first.map(() => '$1::integer, ').join('')}* FROM unnest(${arrays.join(', ')}) ON CONFLICT DO NOTHING`,
      ...first,
      ...values,
    )
  }

  async #columnsOf(table: RowTable): Promise<Map<string, Column>> {
    const rows = await this.#session.rows(LIST_COLUMNS, table.name)
    return new Map(
      rows.map((row) => {
        const [name, type] = [String(row.name), String(row.type)]
        return [name, { name, type, is_packed: type === 'bytea' && name.endsWith('tracking_id') }]
      }),
    )
  }
}

/** So many rows, `$1`, after a key, which follows, if there is one. */
function selecting(
  { name, key, where = 'TRUE' }: RowTable,
  columns: readonly Column[],
  after?: readonly Column[],
): string {
  // By its table's name: a column alone would be the number that is selected, in whose order no index is.
  const order = key.map((column) => `${name}.${column}`).join(', ')
  const values = (after ?? []).map(({ type }, i) => `$${i + 2}::${type}`)
  const isAfter = after === undefined ? '' : ` AND (${order}) > (${values.join(', ')})`
  return `SELECT ${columns.map(selected).join(', ')} FROM ${name} WHERE ${where}${isAfter} ORDER BY ${order} LIMIT $1`
}

/** Numbers as `numeric`, which is read as a bigint. */
function selected({ name, type, is_packed }: Column): string {
  if (is_packed) return `encode(${name}, 'hex')`
  return type === 'integer' || type === 'bigint' ? `${name}::numeric` : name
}

function unpack(row: RowValue[], columns: readonly Column[]): void {
  for (const [i, { is_packed }] of columns.entries()) {
    if (is_packed && row[i] !== null) row[i] = unpackTrackingId(row[i])
  }
}
