import type { Pool, PoolClient, QueryResult } from 'pg'
import { statementError } from './error.ts'

/** What a statement can be given. Numbers that may be past 2^53 come as bigints; a list is an array of PostgreSQL's. */
export type Value = Scalar | readonly Scalar[]

export type Scalar = string | number | bigint | Uint8Array | null

export type Row = Readonly<Record<string, unknown>>

/** Statements that are prepared on each connection; past it, statements are parsed each time. */
const STATEMENTS_MAX = 500

const names = new Map<string, string>()

/** Statements that were sent without being prepared; no more of them are remembered than of the others. */
const unprepared = new Set<string>()

/** The statements that this process has sent, `BEGIN` and the like apart. */
export function sentStatements(): string[] {
  return [...names.keys(), ...unprepared]
}

/**
 * Sends statements, each prepared once on its connection. Of what comes back, `integer` and `bigint` are numbers and `numeric` is
 * a bigint: an amount is read as `numeric`, which a SUM is in any case. Rejects with a StoreUnavailableError for what passes.
 */
export class Session {
  readonly #sender: Pool | PoolClient
  readonly #url: string
  readonly #answer_ms_max: number | undefined
  /** The registry's version, where the transaction was begun with it. */
  registry_version: number | undefined

  /** Waits for each answer as long as the pool does, unless it is told another time. */
  constructor(sender: Pool | PoolClient, url: string, answer_ms_max?: number) {
    this.#sender = sender
    this.#url = url
    this.#answer_ms_max = answer_ms_max
  }

  async rows(sql: string, ...values: readonly Value[]): Promise<Row[]> {
    return (await this.#send({ text: sql, name: nameOf(sql), values: values.map(bound) })).rows as Row[]
  }

  /** The rows of a statement whose text callers have a part in: prepared, each of theirs would be kept on every connection. */
  async rowsOnce(sql: string, ...values: readonly Value[]): Promise<Row[]> {
    if (unprepared.size < STATEMENTS_MAX) unprepared.add(sql)
    return (await this.#send({ text: sql, values: values.map(bound) })).rows as Row[]
  }

  async row(sql: string, ...values: readonly Value[]): Promise<Row | undefined> {
    const [row] = await this.rows(sql, ...values)
    return row
  }

  /** The rows as lists, in the order of their columns. */
  async lists(sql: string, ...values: readonly Value[]): Promise<unknown[][]> {
    const query = { text: sql, name: nameOf(sql), values: values.map(bound), rowMode: 'array' }
    return (await this.#send(query)).rows as unknown as unknown[][]
  }

  /** How many rows it changed. */
  async run(sql: string, ...values: readonly Value[]): Promise<number> {
    return (await this.#send({ text: sql, name: nameOf(sql), values: values.map(bound) })).rowCount ?? 0
  }

  /** Several statements without values, in one message; the rows of the last. */
  async script(sql: string): Promise<Row[]> {
    const results = (await this.#send({ text: sql })) as unknown as QueryResult | QueryResult[]
    return (Array.isArray(results) ? results.at(-1) : results)?.rows as Row[]
  }

  /** Throws where the transaction had failed before, and was rolled back. */
  async commit(): Promise<void> {
    const { command } = await this.#send({ text: 'COMMIT' })
    if (command !== 'COMMIT') throw new Error('a statement of the transaction had failed, so nothing of it is stored')
  }

  async #send(query: object): Promise<QueryResult> {
    try {
      return await (this.#sender as PoolClient).query({ ...query, query_timeout: this.#answer_ms_max } as never)
    } catch (cause) {
      throw statementError(this.#url, cause)
    }
  }
}

/** Rows, column by column, as lists to be bound. */
export function columnsOf(rows: readonly (readonly Scalar[])[], columns: number): Scalar[][] {
  return Array.from({ length: columns }, (_, i) => rows.map((row) => row[i] as Scalar))
}

function nameOf(sql: string): string | undefined {
  const known = names.get(sql)
  if (known !== undefined || names.size >= STATEMENTS_MAX) return known
  const name = `s${names.size}`
  names.set(sql, name)
  return name
}

function bound(value: Value): unknown {
  if (Array.isArray(value)) return arrayOf(value)
  return typeof value === 'string' ? storable(value) : value
}

/** An array, as PostgreSQL reads it. A batch has some hundred thousand elements: they are put together without a list of them. */
function arrayOf(values: readonly Scalar[]): string {
  let text = '{'
  for (let i = 0; i < values.length; i++)
    text += i === 0 ? element(values[i] as Scalar) : `,${element(values[i] as Scalar)}`
  return `${text}}`
}

/** What an element of an array must not have as it is. */
const SPECIAL = /["\\\0]/

/** An element of an array, as PostgreSQL reads it. */
function element(value: Scalar): string {
  if (value === null) return 'NULL'
  if (typeof value === 'string') {
    return SPECIAL.test(value) ? `"${storable(value).replace(/["\\]/g, '\\$&')}"` : `"${value}"`
  }
  return value instanceof Uint8Array ? `"\\\\x${Buffer.from(value).toString('hex')}"` : String(value)
}

/** PostgreSQL's texts hold every character but one. */
function storable(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text
}
