import { ROLLUP_TABLES } from './rollup-cells.ts'

/** What stands in a row, as no engine in particular has it: integers are bigints, tracking ids are texts. */
export type RowValue = bigint | string | Uint8Array | null

/** A row of a table, in the order of the columns that were asked for. */
export type TableRow = readonly RowValue[]

/** What tells the rows of a table apart, as texts, in the order of its key; none stands before the first row. */
export type RowKey = readonly string[]

/** A table that every engine has. */
export interface RowTable {
  readonly name: string
  /** Rows are read in this order, which is the same in every engine. */
  readonly key: readonly string[]
  /** Which rows are the store's, where some are the database's own. */
  readonly where?: string
}

/** The setting that says how far a move into this database came. */
export const MOVE_SETTING = 'move'

const OF_AD = ['account', 'ad'] as const

/** Every table but what an engine has for itself. A row refers to nothing but rows of tables that stand before. */
export const ROW_TABLES: readonly RowTable[] = [
  { name: 'setting', key: ['name'], where: `name NOT IN ('schema_version', '${MOVE_SETTING}')` },
  { name: 'account', key: ['account'] },
  { name: 'page_link', key: ['page_id', 'account'] },
  { name: 'campaign', key: ['campaign_id'] },
  { name: 'adset', key: ['adset_id'] },
  { name: 'ad', key: ['ad'] },
  { name: 'ad_page', key: ['page_id', 'ad'] },
  { name: 'rate', key: ['account', 'country', 'valid_from'] },
  { name: 'token', key: ['token_hash'] },
  { name: 'token_account', key: ['token_hash', 'account'] },
  { name: 'subscriber', key: ['subscriber'] },
  { name: 'forgotten', key: ['subscriber'] },
  { name: 'message', key: [...OF_AD, 'subscriber', 'tracking_id'] },
  { name: 'click', key: [...OF_AD, 'subscriber', 'at', 'mid'] },
  { name: 'failure', key: [...OF_AD, 'subscriber', 'at', 'error_message'] },
  { name: 'recipient', key: [...OF_AD, 'subscriber'] },
  ...ROLLUP_TABLES.map(({ name, key }) => ({ name, key: [...OF_AD, ...key] })),
  { name: 'pruned_ad', key: OF_AD },
  { name: 'pruned_message', key: [...OF_AD, 'message_hash'] },
  { name: 'baseline', key: [...OF_AD, 'part'] },
  { name: 'unresolved_ad', key: OF_AD },
  {
    name: 'parked',
    key: [
      ...['ad_id', 'page_id', 'subscriber', 'kind', 'at', 'tracking_id', 'mid'],
      ...['price_micros', 'country', 'btn_name', 'error_message'],
    ],
  },
  { name: 'rejected', key: ['change_digest'] },
  { name: 'page_event', key: ['page_id', 'kind'] },
  { name: 'import_checkpoint', key: ['file'] },
  { name: 'report_run', key: ['run'] },
  { name: 'report_row', key: ['run', 'place'] },
]

/** All rows of all tables, whatever they say: for moving a store to another database. */
export interface Rows {
  /** The names of a table's columns; the same in every engine, in whatever order. */
  listColumns(table: RowTable): Promise<string[]>
  count(table: RowTable): Promise<number>
  /** The rows after a key, in the order of their keys: so many on each page, and what is left on the last. */
  pages(table: RowTable, columns: readonly string[], after: RowKey, limit: number): AsyncGenerator<TableRow[], void>
  /** Puts rows in; one whose key is there stays as it is. */
  add(table: RowTable, columns: readonly string[], rows: readonly TableRow[]): Promise<void>
  clear(table: RowTable): Promise<void>
  /** Makes what the engine has for itself, such as the next numbers, follow from the rows that were put in. */
  settle(): Promise<void>
}

/** The key of a row with these columns. */
export function keyOf({ key }: RowTable, columns: readonly string[], row: TableRow): RowKey {
  return key.map((column) => String(row[columns.indexOf(column)]))
}
