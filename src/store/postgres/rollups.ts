import { COUNTERS, type Counter } from '../../domain/counter.ts'
import type { DayRange } from '../../domain/day.ts'
import {
  ACCOUNT_CELLS,
  brokenDown,
  CELL_BREAKDOWN_NAMES,
  CELL_BREAKDOWNS,
  type CellBreakdown,
  ROLLUP_COLUMNS,
  ROLLUP_TABLES,
  RollupCells,
  type RollupColumn,
} from '../rollup-cells.ts'
import type { BreakdownSum, ColumnSums, DaySums, FailureCount, NodeCells, Rollups, ValueSums } from '../rollups.ts'
import { type CellRow, CellTable } from './cell-table.ts'
import { GatheredSums } from './gathered-sums.ts'
import type { Session } from './session.ts'

/** The tables of counts, in the order in which everyone adds to them. */
const TABLES = ROLLUP_TABLES.map(({ name, key, columns }) => ({
  name,
  columns,
  cells: new CellTable(name, ['ad', ...key], columns),
}))

const LIST_NODES = `${ROLLUP_TABLES.map(({ name }) => `SELECT account, ad FROM ${name}`).join(' UNION ')} ORDER BY account, ad`

const OF_NODE = 'account = $1 AND ad = ANY($2::integer[])'

const ON_DAYS = `${OF_NODE} AND day BETWEEN $3 AND $4`

const READ_DAYS = `SELECT MIN(day) AS since, MAX(day) AS until FROM rollup WHERE ${OF_NODE}`

const READ_EVER_SENT = `SELECT 1 FROM rollup WHERE ${OF_NODE} AND (sent_a <> 0 OR sent_b <> 0 OR sent_c <> 0) LIMIT 1`

const READ_FAILURES = `
  SELECT day, error_message, SUM(failed) AS failed FROM rollup_failure WHERE ${OF_NODE}
  GROUP BY day, error_message ORDER BY day, error_message`

const LIST_ADS_OF_PAGE = 'SELECT ad FROM ad_page WHERE page_id = $1'

/** An ad has its page's cells under the account in which it is counted. */
const LIST_HOMES = `
  SELECT account, ARRAY_AGG(ad) AS ads FROM ad WHERE ad = ANY($1::integer[]) GROUP BY account ORDER BY account`

const SUM_COUNTRIES = `
  SELECT country, ${COUNTERS.map((counter) => `SUM(${counter}) AS ${counter}`).join(', ')}
  FROM rollup_country WHERE ${OF_NODE} GROUP BY country`

export class PostgresRollups implements Rollups {
  readonly #session: Session
  readonly #sums: GatheredSums

  constructor(session: Session) {
    this.#session = session
    this.#sums = new GatheredSums(session)
  }

  async add(cells: RollupCells): Promise<void> {
    const accounts = [...rowsByAccount(cells)].sort(([a], [b]) => a - b)
    const added = accounts.flatMap(([account, rows]) =>
      TABLES.map((table) => table.cells.add(this.#session, account, rows.get(table.name) ?? [])),
    )
    await Promise.all(added)
  }

  async readCells(account: number, ad: number): Promise<RollupCells> {
    const cells = new RollupCells()
    for (const row of await this.#rowsOf('rollup', account, ad)) {
      const { amounts } = cells.cell(account, ad, Number(row.day))
      for (const [i, column] of ROLLUP_COLUMNS.entries()) amounts[i] = row[column] as bigint
    }
    for (const breakdown of CELL_BREAKDOWN_NAMES) {
      for (const row of await this.#rowsOf(`rollup_${breakdown}`, account, ad)) {
        const cell = cells.cell(account, ad, Number(row.day))
        const amounts = brokenDown(cell, breakdown, row[breakdown] as string | number)
        for (const [i, column] of CELL_BREAKDOWNS[breakdown].entries()) amounts[i] = row[column] as bigint
      }
    }
    for (const row of await this.#rowsOf('rollup_failure', account, ad)) {
      cells.failureCell(account, ad, Number(row.day), String(row.error_message)).failed = row.failed as bigint
    }
    return cells
  }

  async replace(account: number, ad: number, cells: RollupCells): Promise<void> {
    await this.#remove(account, ad)
    await this.add(cells)
  }

  async sumAccount(account: number): Promise<void> {
    await this.#remove(account, ACCOUNT_CELLS)
    for (const { name, key, columns } of ROLLUP_TABLES) {
      const sums = columns.map((column) => `SUM(${column})`)
      await this.#session.run(
        `INSERT INTO ${name} (account, ad, ${[...key, ...columns].join(', ')})
         SELECT account, ${ACCOUNT_CELLS}, ${[...key, ...sums].join(', ')}
         FROM ${name} WHERE account = $1 AND ad <> ${ACCOUNT_CELLS} GROUP BY account, ${key.join(', ')}`,
        account,
      )
    }
  }

  async listNodes(): Promise<{ account: number; ad: number }[]> {
    const rows = await this.#session.rows(LIST_NODES)
    return rows.map((row) => ({ account: Number(row.account), ad: Number(row.ad) }))
  }

  sumColumns(node: NodeCells, days: DayRange, columns: readonly RollupColumn[]): Promise<ColumnSums> {
    return this.#sums.sumColumns(node, days, columns)
  }

  async readDaySums(node: NodeCells, days: DayRange, columns: readonly RollupColumn[]): Promise<DaySums[]> {
    const sql = `SELECT day${sumsOf(columns)} FROM rollup WHERE ${ON_DAYS} GROUP BY day ORDER BY day`
    const rows = (await this.#session.lists(sql, ...valuesOf(node, days))) as [number, ...bigint[]][]
    return rows.map(([day, ...sums]) => ({ day, sums }))
  }

  async readBreakdownSums(node: NodeCells, days: DayRange, sum: BreakdownSum): Promise<ValueSums[]> {
    const { breakdown, columns, by_day } = sum
    const key = by_day ? `${breakdown}, day` : breakdown
    const sql = `SELECT ${breakdown}, ${by_day ? 'day' : 'MIN(day)'}${sumsOf(columns)} FROM rollup_${breakdown}
      WHERE ${ON_DAYS} GROUP BY ${key} ORDER BY ${key}`
    const rows = (await this.#session.lists(sql, ...valuesOf(node, days))) as [string | number, number, ...bigint[]][]
    return rows.map(([value, day, ...sums]) => ({ value, day, sums }))
  }

  async countCells(node: NodeCells, days: DayRange, breakdown?: CellBreakdown): Promise<number> {
    const table = breakdown === undefined ? 'rollup' : `rollup_${breakdown}`
    const sql = `SELECT COUNT(*) AS cells FROM ${table} WHERE ${ON_DAYS}`
    return Number((await this.#session.row(sql, ...valuesOf(node, days)))?.cells)
  }

  async readDays(node: NodeCells): Promise<DayRange | undefined> {
    const row = await this.#session.row(READ_DAYS, node.account, node.ads)
    if (row === undefined || row.since === null) return undefined
    return { since: Number(row.since), until: Number(row.until) }
  }

  async readEverSent(node: NodeCells): Promise<boolean> {
    return (await this.#session.row(READ_EVER_SENT, node.account, node.ads)) !== undefined
  }

  async readFailures(node: NodeCells): Promise<FailureCount[]> {
    const rows = await this.#session.rows(READ_FAILURES, node.account, node.ads)
    return rows.map((row) => ({
      day: Number(row.day),
      error_message: String(row.error_message),
      failed: Number(row.failed),
    }))
  }

  async sumPage(page_id: string, counters: readonly Counter[]): Promise<Map<string, Map<Counter, bigint>>> {
    const sums = new Map<string, Map<Counter, bigint>>()
    const told = await this.#session.rows(LIST_ADS_OF_PAGE, page_id)
    const homes = await this.#session.rows(
      LIST_HOMES,
      told.map(({ ad }) => Number(ad)),
    )
    for (const { account, ads } of homes) {
      for (const row of await this.#session.rows(SUM_COUNTRIES, Number(account), ads as number[])) {
        const country = String(row.country)
        const before = sums.get(country)
        const added = counters.map((counter): [Counter, bigint] => {
          return [counter, (before?.get(counter) ?? 0n) + (row[counter] as bigint)]
        })
        sums.set(country, new Map(added))
      }
    }
    return sums
  }

  async #remove(account: number, ad: number): Promise<void> {
    for (const { name } of ROLLUP_TABLES) {
      await this.#session.run(`DELETE FROM ${name} WHERE account = $1 AND ad = $2`, account, ad)
    }
  }

  #rowsOf(table: string, account: number, ad: number) {
    const { key, columns } = ROLLUP_TABLES.find(({ name }) => name === table) as (typeof ROLLUP_TABLES)[number]
    const amounts = columns.map((column) => `${column}::numeric`)
    return this.#session.rows(
      `SELECT ${[...key, ...amounts].join(', ')} FROM ${table} WHERE account = $1 AND ad = $2`,
      account,
      ad,
    )
  }
}

/** The cells of each account, by the table in which they stand. */
function rowsByAccount(cells: RollupCells): Map<number, Map<string, CellRow[]>> {
  const accounts = new Map<number, Map<string, CellRow[]>>()
  const put = (account: number, table: string, row: CellRow) => {
    const tables = accounts.get(account) ?? new Map<string, CellRow[]>()
    accounts.set(account, tables)
    const rows = tables.get(table)
    if (rows === undefined) tables.set(table, [row])
    else rows.push(row)
  }
  for (const { account, ad, day, amounts, broken_down } of cells.days()) {
    put(account, 'rollup', { key: [ad, day], amounts })
    for (const breakdown of CELL_BREAKDOWN_NAMES) {
      for (const [value, ofValue] of broken_down[breakdown]) {
        put(account, `rollup_${breakdown}`, { key: [ad, day, value], amounts: ofValue })
      }
    }
  }
  for (const { account, ad, day, error_message, failed } of cells.failures()) {
    put(account, 'rollup_failure', { key: [ad, day, error_message], amounts: [failed] })
  }
  return accounts
}

function sumsOf(columns: readonly string[]): string {
  return columns.map((column) => `, SUM(${column})`).join('')
}

function valuesOf({ account, ads }: NodeCells, { since, until }: DayRange) {
  return [account, ads, since, until] as const
}
