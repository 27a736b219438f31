import type { DatabaseSync, StatementSync } from 'node:sqlite'
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
import { CellTable } from './cell-table.ts'

/** Statements differ by the columns they name; so many are kept prepared, and then all are dropped. */
const STATEMENTS_MAX = 500

const ADD_FAILURE = `
  INSERT INTO rollup_failure (account, ad, day, error_message, failed) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (account, ad, day, error_message) DO UPDATE SET failed = failed + excluded.failed`

const REMOVE_EMPTY_FAILURE = `
  DELETE FROM rollup_failure WHERE account = ? AND ad = ? AND day = ? AND error_message = ? AND failed = 0`

const LIST_NODES = `${ROLLUP_TABLES.map(({ name }) => `SELECT account, ad FROM ${name}`).join(' UNION ')} ORDER BY account, ad`

/** The cells of a node. Most nodes are one ad, or an account's own cells: they are found without going through a list. */
const OF_ONE = 'account = ? AND ad = ?'
const OF_SEVERAL = 'account = ? AND ad IN (SELECT value FROM json_each(?))'

const ON_DAYS = 'day BETWEEN ? AND ?'

const readDays = (ofNode: string) => `
  SELECT MIN(day) AS since, MAX(day) AS until FROM rollup WHERE ${ofNode}`

const readEverSent = (ofNode: string) => `
  SELECT 1 FROM rollup WHERE ${ofNode} AND (sent_a <> 0 OR sent_b <> 0 OR sent_c <> 0) LIMIT 1`

const readFailures = (ofNode: string) => `
  SELECT day, error_message, SUM(failed) AS failed FROM rollup_failure WHERE ${ofNode}
  GROUP BY day, error_message ORDER BY day, error_message`

const SUM_PAGE = `
  SELECT country, ${COUNTERS.map((counter) => `SUM(${counter}) AS ${counter}`).join(', ')}
  FROM ad_page JOIN ad USING (ad) JOIN rollup_country USING (account, ad)
  WHERE page_id = ? GROUP BY country ORDER BY country`

export class SqliteRollups implements Rollups {
  readonly #db: DatabaseSync
  readonly #days: CellTable
  readonly #breakdowns: Readonly<Record<CellBreakdown, CellTable>>
  readonly #statements = new Map<string, StatementSync>()
  readonly #sumsOfOne = new WeakMap<readonly RollupColumn[], StatementSync>()
  readonly #sumsOfSeveral = new WeakMap<readonly RollupColumn[], StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#days = new CellTable(db, 'rollup', ['account', 'ad', 'day'], ROLLUP_COLUMNS)
    const tableOf = (breakdown: CellBreakdown) =>
      new CellTable(db, `rollup_${breakdown}`, ['account', 'ad', 'day', breakdown], CELL_BREAKDOWNS[breakdown])
    this.#breakdowns = { country: tableOf('country'), hour: tableOf('hour'), btn_name: tableOf('btn_name') }
  }

  async add(cells: RollupCells): Promise<void> {
    for (const { account, ad, day, amounts, broken_down } of cells.days()) {
      this.#days.add([account, ad, day], amounts)
      for (const breakdown of CELL_BREAKDOWN_NAMES) {
        const table = this.#breakdowns[breakdown]
        for (const [value, ofValue] of broken_down[breakdown]) table.add([account, ad, day, value], ofValue)
      }
    }
    for (const { account, ad, day, error_message, failed } of cells.failures()) {
      if (failed === 0n) continue
      this.#statement(ADD_FAILURE).run(account, ad, day, error_message, failed)
      if (failed < 0n) this.#statement(REMOVE_EMPTY_FAILURE).run(account, ad, day, error_message)
    }
  }

  async readCells(account: number, ad: number): Promise<RollupCells> {
    const cells = new RollupCells()
    for (const row of this.#rowsOf('rollup', account, ad)) {
      const { amounts } = cells.cell(account, ad, Number(row.day))
      for (const [i, column] of ROLLUP_COLUMNS.entries()) amounts[i] = row[column] as bigint
    }
    for (const breakdown of CELL_BREAKDOWN_NAMES) {
      for (const row of this.#rowsOf(`rollup_${breakdown}`, account, ad)) {
        const amounts = brokenDown(cells.cell(account, ad, Number(row.day)), breakdown, cellValue(row[breakdown]))
        for (const [i, column] of CELL_BREAKDOWNS[breakdown].entries()) amounts[i] = row[column] as bigint
      }
    }
    for (const row of this.#rowsOf('rollup_failure', account, ad)) {
      cells.failureCell(account, ad, Number(row.day), String(row.error_message)).failed = row.failed as bigint
    }
    return cells
  }

  async replace(account: number, ad: number, cells: RollupCells): Promise<void> {
    this.#remove(account, ad)
    await this.add(cells)
  }

  async sumAccount(account: number): Promise<void> {
    this.#remove(account, ACCOUNT_CELLS)
    for (const { name, key, columns } of ROLLUP_TABLES) {
      const sums = columns.map((column) => `SUM(${column})`)
      this.#statement(
        `INSERT INTO ${name} (account, ad, ${[...key, ...columns].join(', ')})
         SELECT account, ${ACCOUNT_CELLS}, ${[...key, ...sums].join(', ')}
         FROM ${name} WHERE account = ? AND ad <> ${ACCOUNT_CELLS} GROUP BY account, ${key.join(', ')}`,
      ).run(account)
    }
  }

  async listNodes(): Promise<{ account: number; ad: number }[]> {
    return this.#statement(LIST_NODES)
      .all()
      .map((row) => ({ account: Number(row.account), ad: Number(row.ad) }))
  }

  async sumColumns(node: NodeCells, days: DayRange, columns: readonly RollupColumn[]): Promise<ColumnSums> {
    const [ofNode, ads] = adsOf(node)
    const statement = this.#sumStatement(columns, ofNode)
    const sums = statement.get(node.account, ads, days.since, days.until) as unknown as bigint[]
    const cells = Number(sums.pop())
    // The sum of no cells is NULL.
    return { cells, sums: cells === 0 ? columns.map(() => 0n) : sums }
  }

  async readDaySums(node: NodeCells, days: DayRange, columns: readonly RollupColumn[]): Promise<DaySums[]> {
    const [ofNode, ads] = adsOf(node)
    const sums = columns.map((column) => `, SUM(${column})`).join('')
    const rows = this.#rows(
      `SELECT day${sums} FROM rollup WHERE ${ofNode} AND ${ON_DAYS} GROUP BY day ORDER BY day`,
    ).all(node.account, ads, days.since, days.until)
    return (rows as unknown as bigint[][]).map(([day, ...amounts]) => ({ day: Number(day), sums: amounts }))
  }

  async readBreakdownSums(node: NodeCells, days: DayRange, sum: BreakdownSum): Promise<ValueSums[]> {
    const [ofNode, ads] = adsOf(node)
    const { breakdown, columns, by_day } = sum
    const sums = columns.map((column) => `, SUM(${column})`).join('')
    const key = by_day ? `${breakdown}, day` : breakdown
    const rows = this.#rows(
      `SELECT ${breakdown}, ${by_day ? 'day' : 'MIN(day)'}${sums} FROM rollup_${breakdown}
       WHERE ${ofNode} AND ${ON_DAYS} GROUP BY ${key} ORDER BY ${key}`,
    ).all(node.account, ads, days.since, days.until)
    return (rows as unknown as [string | bigint, ...bigint[]][]).map(([value, day, ...amounts]) => ({
      value: cellValue(value),
      day: Number(day),
      sums: amounts,
    }))
  }

  async countCells(node: NodeCells, days: DayRange, breakdown?: CellBreakdown): Promise<number> {
    const [ofNode, ads] = adsOf(node)
    const table = breakdown === undefined ? 'rollup' : `rollup_${breakdown}`
    const row = this.#statement(`SELECT COUNT(*) AS cells FROM ${table} WHERE ${ofNode} AND ${ON_DAYS}`).get(
      node.account,
      ads,
      days.since,
      days.until,
    )
    return Number(row?.cells)
  }

  async readDays(node: NodeCells): Promise<DayRange | undefined> {
    const [ofNode, ads] = adsOf(node)
    const row = this.#statement(readDays(ofNode)).get(node.account, ads)
    if (row === undefined || row.since === null) return undefined
    return { since: Number(row.since), until: Number(row.until) }
  }

  async readEverSent(node: NodeCells): Promise<boolean> {
    const [ofNode, ads] = adsOf(node)
    return this.#statement(readEverSent(ofNode)).get(node.account, ads) !== undefined
  }

  async readFailures(node: NodeCells): Promise<FailureCount[]> {
    const [ofNode, ads] = adsOf(node)
    const rows = this.#statement(readFailures(ofNode)).all(node.account, ads)
    return rows.map((row) => ({
      day: Number(row.day),
      error_message: String(row.error_message),
      failed: Number(row.failed),
    }))
  }

  async sumPage(page_id: string, counters: readonly Counter[]): Promise<Map<string, Map<Counter, bigint>>> {
    const rows = this.#statement(SUM_PAGE, true).all(page_id)
    return new Map(
      rows.map((row) => [
        String(row.country),
        new Map(counters.map((counter): [Counter, bigint] => [counter, row[counter] as bigint])),
      ]),
    )
  }

  /** The same lists of columns come again and again, so a list stands for its statement. */
  #sumStatement(columns: readonly RollupColumn[], ofNode: string): StatementSync {
    const statements = ofNode === OF_ONE ? this.#sumsOfOne : this.#sumsOfSeveral
    const known = statements.get(columns)
    if (known !== undefined) return known
    const sums = columns.map((column) => `SUM(${column}), `).join('')
    const statement = this.#rows(`SELECT ${sums}COUNT(*) FROM rollup WHERE ${ofNode} AND ${ON_DAYS}`)
    statements.set(columns, statement)
    return statement
  }

  /** A statement whose rows come as lists. */
  #rows(sql: string): StatementSync {
    const statement = this.#statement(sql, true)
    statement.setReturnArrays(true)
    return statement
  }

  #remove(account: number, ad: number): void {
    for (const { name } of ROLLUP_TABLES)
      this.#statement(`DELETE FROM ${name} WHERE account = ? AND ad = ?`).run(account, ad)
  }

  #rowsOf(table: string, account: number, ad: number) {
    return this.#statement(`SELECT * FROM ${table} WHERE account = ? AND ad = ?`, true).all(account, ad)
  }

  #statement(sql: string, readBigInts = false): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      if (this.#statements.size >= STATEMENTS_MAX) this.#statements.clear()
      statement = this.#db.prepare(sql)
      statement.setReadBigInts(readBigInts)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** The condition that finds a node's cells, and what it takes beside the account. */
function adsOf({ ads }: NodeCells): [ofNode: string, ads: number | string] {
  const [only] = ads
  return only !== undefined && ads.length === 1 ? [OF_ONE, only] : [OF_SEVERAL, JSON.stringify(ads)]
}

/** A text, or the number of an hour, which comes as a bigint among amounts. */
function cellValue(value: unknown): string | number {
  return typeof value === 'string' ? value : Number(value)
}
