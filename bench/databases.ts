import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'

/** Where the databases of a run are: files in its folder, or schemas of a PostgreSQL database. */
export interface Databases extends AsyncDisposable {
  /** What it is, and its version. */
  readonly engine: string
  /** Makes room for a new database, in the place of an older one of that name; returns what `--database` takes. */
  create(name: string): Promise<string>
  /** The one row of a query without values. */
  read(database: string, sql: string): Promise<Readonly<Record<string, unknown>>>
  /** What it takes on disk in bytes, with all that its log held. */
  readSize(database: string): Promise<number>
}

/** Files, which are removed with the folder. */
export class SqliteDatabases implements Databases {
  readonly engine = `SQLite ${process.versions.sqlite}`
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async create(name: string): Promise<string> {
    const file = join(this.#folder, `${name}.db`)
    for (const part of ['', '-wal', '-shm']) rmSync(file + part, { force: true })
    return file
  }

  async read(file: string, sql: string): Promise<Readonly<Record<string, unknown>>> {
    using db = new DatabaseSync(file)
    return db.prepare(sql).get() ?? {}
  }

  async readSize(file: string): Promise<number> {
    using db = new DatabaseSync(file)
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    return statSync(file).size
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

const READ_SIZE = `
  SELECT SUM(pg_total_relation_size(oid)) AS bytes FROM pg_class
  WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'`

/** Schemas that begin with `readout_bench_`, which are dropped at the end. */
export class PostgresDatabases implements Databases {
  readonly engine: string
  readonly #url: string
  readonly #client: pg.Client
  readonly #schemas = new Set<string>()

  private constructor(url: string, client: pg.Client, engine: string) {
    this.#url = url
    this.#client = client
    this.engine = engine
  }

  static async open(url: string): Promise<PostgresDatabases> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
    return new PostgresDatabases(url, client, `PostgreSQL ${rows[0]?.server_version}`)
  }

  async create(name: string): Promise<string> {
    const schema = `readout_bench_${process.pid}_${name}`
    await this.#client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE; CREATE SCHEMA ${schema}`)
    this.#schemas.add(schema)
    const url = new URL(this.#url)
    url.searchParams.set('options', `-csearch_path=${schema}`)
    return url.href
  }

  async read(database: string, sql: string): Promise<Readonly<Record<string, unknown>>> {
    const client = new pg.Client({ connectionString: database })
    await client.connect()
    try {
      const { rows } = await client.query(sql)
      return rows[0] ?? {}
    } finally {
      await client.end()
    }
  }

  async readSize(database: string): Promise<number> {
    await this.read(database, 'CHECKPOINT')
    return Number((await this.read(database, READ_SIZE)).bytes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const schema of this.#schemas) await this.#client.query(`DROP SCHEMA ${schema} CASCADE`)
    await this.#client.end()
  }
}
