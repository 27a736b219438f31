import { DatabaseSync } from 'node:sqlite'
import type { TestOptions } from 'node:test'
import { openStore } from '../src/store/open.ts'
import { BUSY_MS_MAX } from '../src/store/sqlite/database.ts'
import type { Store } from '../src/store/store.ts'
import { Schemas } from './contract/schemas.ts'
import { TemporaryFolder } from './temporary-folder.ts'

/** An empty database of the engine that is tested, as `--database` names it; gone when it is disposed. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string
  /** Runs statements behind the store's back. */
  exec(sql: string): Promise<void>
}

interface Engine {
  readonly openDatabase: () => Promise<TestDatabase>
  /** Where the database is that only one connection uses. */
  readonly openPrivate: () => Promise<TestDatabase>
  /** Runs of a property that has a new database in each. */
  readonly runs: (on_sqlite: number) => number
}

/** Set by `npm run test:store`: the server that this process tests, and what the names of its schemas begin with. */
const { READOUT_TEST_URL, READOUT_TEST_SCHEMA } = process.env

/** A process of tests is about one engine; the same files run on both. */
const ENGINES = {
  sqlite: { openDatabase: openFile, openPrivate: openMemory, runs: (runs) => runs },
  postgres: { openDatabase: openSchema, openPrivate: openSchema, runs: (runs) => Math.ceil(runs / 10) },
} as const satisfies Record<string, Engine>

export const ENGINE = READOUT_TEST_URL === undefined ? 'sqlite' : 'postgres'

/** For tests about what a SQLite file alone has or does. */
export const ON_SQLITE: TestOptions = { skip: ENGINE !== 'sqlite' && 'is about a SQLite file' }

/** For tests about what a PostgreSQL server alone has or does. */
export const ON_POSTGRES: TestOptions = { skip: ENGINE !== 'postgres' && 'runs with: npm run test:store' }

/** A SQLite file has its hash key beside it; the commands have to be told that of any other database. */
export const KEY_SETTING: Record<string, string> = ENGINE === 'sqlite' ? {} : { READOUT_HASH_KEY: '07'.repeat(32) }

export const { openDatabase, runs } = ENGINES[ENGINE]

/** A store on an empty database, which goes with it. */
export async function openEmptyStore(): Promise<Store> {
  const database = await ENGINES[ENGINE].openPrivate()
  const store = await openStore(database.name)
  const close = store[Symbol.asyncDispose].bind(store)
  const dispose = async () => {
    await close()
    await database[Symbol.asyncDispose]()
  }
  return Object.assign(store, { [Symbol.asyncDispose]: dispose })
}

/** Keeps whoever writes waiting until it is released, as a long act of an administrator does. */
export async function holdWriting(database: string): Promise<{ release(): Promise<void> } & AsyncDisposable> {
  const store = await openStore(database)
  const [held, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const writing = store.write(() => {
    held.resolve()
    return released.promise
  })
  await Promise.race([held.promise, writing])
  const release = () => {
    released.resolve()
    return writing
  }
  const dispose = async () => {
    await release()
    await store[Symbol.asyncDispose]()
  }
  return { release, [Symbol.asyncDispose]: dispose }
}

async function openFile(): Promise<TestDatabase> {
  const folder = new TemporaryFolder()
  const name = folder.file('readout.db')
  const exec = async (sql: string) => {
    // A server that catches up with what was just registered may write in this moment.
    using db = new DatabaseSync(name, { timeout: BUSY_MS_MAX })
    db.exec(sql)
  }
  return { name, exec, [Symbol.asyncDispose]: async () => folder[Symbol.dispose]() }
}

async function openMemory(): Promise<TestDatabase> {
  const exec = () => Promise.reject(new Error('a database in memory has one connection'))
  return { name: ':memory:', exec, [Symbol.asyncDispose]: async () => {} }
}

let schemas: Schemas | undefined

async function openSchema(): Promise<TestDatabase> {
  schemas ??= new Schemas(READOUT_TEST_URL ?? '', READOUT_TEST_SCHEMA ?? '')
  return schemas.make()
}
