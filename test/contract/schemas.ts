import pg from 'pg'
import type { TestDatabase } from '../database.ts'

/** Schemas of a PostgreSQL server, each an empty database to Readout; their names begin alike, and are no one else's. */
export class Schemas implements AsyncDisposable {
  readonly #url: string
  readonly #prefix: string
  /** Keeps no process alive: a file of tests ends without a word. */
  readonly #pool: pg.Pool
  #made = 0

  constructor(url: string, prefix: string) {
    this.#url = url
    this.#prefix = prefix
    this.#pool = new pg.Pool({ connectionString: url, max: 2, allowExitOnIdle: true })
    // A server that a test stops ends our connections too; the next statement has another.
    this.#pool.on('error', () => {})
  }

  /** A new one, which is dropped with all that it holds when it is disposed. */
  async make(): Promise<TestDatabase> {
    const schema = `${this.#prefix}_${process.pid}_${++this.#made}`
    await this.#pool.query(`CREATE SCHEMA ${schema}`)
    const name = within(this.#url, schema)
    const exec = (sql: string) => execute(name, sql)
    return { name, exec, [Symbol.asyncDispose]: () => this.#drop(schema) }
  }

  /** Drops those that are left of tests that were ended, in any process, and returns how many there were. */
  async sweep(): Promise<number> {
    const left = 'SELECT nspname AS schema FROM pg_namespace WHERE starts_with(nspname, $1)'
    const { rows } = await this.#pool.query<{ schema: string }>(left, [`${this.#prefix}_`])
    for (const { schema } of rows) await this.#drop(schema)
    return rows.length
  }

  async #drop(schema: string): Promise<void> {
    await this.#pool.query(`DROP SCHEMA ${schema} CASCADE`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end()
  }
}

/** A URL whose tables are those of a schema. */
function within(server: string, schema: string): string {
  const url = new URL(server)
  const options = [url.searchParams.get('options') ?? '', `-csearch_path=${schema}`]
  url.searchParams.set('options', options.join(' ').trim())
  return url.href
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
