import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import fc from 'fast-check'
import pg from 'pg'
import { ENGINE, openDatabase, openEmptyStore, runs } from '../../test/database.ts'
import { TemporaryFolder } from '../../test/temporary-folder.ts'
import { type MoveOptions, move, refuseHalfMoved } from './move.ts'
import { openStore } from './open.ts'
import { keyOf, ROW_TABLES, type RowTable, type RowValue, type TableRow } from './rows.ts'
import type { Store } from './store.ts'

const ACCOUNTS = [1n, 2n, 30n]
/** Some of them stand in another order than their accounts do. */
const ADS = new Map([
  [1n, 30n],
  [2n, 1n],
  [3n, 30n],
  [4n, 2n],
  [900n, 1n],
])
const INT_MAX = 2n ** 63n - 1n

/** What PostgreSQL keeps in 32 bits. */
const SHORT = /^(?:day|hour|\w+_hour|valid_from|place|since|until|async_percent_completion|begun|row_count)$/

/** What numbers its rows, from 1. */
const NUMBER = /^(?:run|part)$/

/** Its texts hold every character but one. */
const arbitraryText = fc.oneof(
  fc.constantFrom('a', 'b'),
  fc.string({ unit: 'binary', maxLength: 6 }).map((text) => text.replaceAll('\0', ' ')),
)

const TYPES: Readonly<Record<string, fc.Arbitrary<RowValue>>> = {
  TEXT: arbitraryText,
  INTEGER: fc.oneof(fc.bigInt(-9n, 9n), fc.bigInt(-INT_MAX, INT_MAX)),
  BLOB: fc.uint8Array({ maxLength: 9 }),
  ANY: fc.oneof(arbitraryText, fc.uuid()),
}

/** Columns that refer to another table, or say one of few words. */
const NAMES: Readonly<Record<string, readonly [RowValue, ...RowValue[]]>> = {
  account: [1n, ...ACCOUNTS],
  ad: [1n, ...ADS.keys()],
  campaign_id: ['c', 'C'],
  adset_id: ['s', '\u{1f600}', '\uffee'],
  token_hash: ['t', 'u'],
  status: ['ACTIVE', 'DELETED'],
  permission: ['read', 'admin'],
}

interface Column {
  readonly name: string
  readonly type: string
  readonly is_nullable: boolean
}

/** The columns of SQLite's tables, and the account, which not all of them have. */
function listColumns({ name, key }: RowTable): Column[] {
  const rows = schema.prepare(`PRAGMA table_info(${name})`).all()
  const columns = rows.map((row) => ({
    name: String(row.name),
    type: String(row.type),
    is_nullable: row.notnull === 0 && row.pk === 0,
  }))
  if (!key.includes('account') || columns.some((column) => column.name === 'account')) return columns
  return [{ name: 'account', type: 'INTEGER', is_nullable: false }, ...columns]
}

const folder = new TemporaryFolder()
await (await openStore(folder.file('schema.db')))[Symbol.asyncDispose]()
const schema = new DatabaseSync(folder.file('schema.db'))
process.once('exit', () => folder[Symbol.dispose]())

function arbitraryValue({ name, type, is_nullable }: Column): fc.Arbitrary<RowValue> {
  const words = NAMES[name]
  if (words !== undefined) return fc.constantFrom(...words)
  if (NUMBER.test(name)) return fc.bigInt(1n, 2n ** 31n - 2n)
  const value = SHORT.test(name) ? fc.bigInt(-(2n ** 31n), 2n ** 31n - 1n) : (TYPES[type] as fc.Arbitrary<RowValue>)
  return is_nullable ? fc.option(value) : value
}

/** Rows of a table; one to which others refer has all that they may name. */
function arbitraryRows(table: RowTable): fc.Arbitrary<TableRow[]> {
  const columns = listColumns(table)
  const names = columns.map(({ name }) => name)
  const row = fc.tuple(...columns.map(arbitraryValue)).map((values) => consistent(table, names, values))
  const [only, ...others] = table.key
  const words = others.length === 0 && only !== undefined ? NAMES[only] : undefined
  const isParent = ['account', 'campaign', 'adset', 'ad', 'token'].includes(table.name)
  if (!isParent || words === undefined || only === undefined) {
    return fc.uniqueArray(row, { maxLength: 12, selector: (values) => keyOf(table, names, values).join('\0') })
  }
  return fc.tuple(
    ...[...new Set(words)].map((word) =>
      row.map((values) => consistent(table, names, values.with(names.indexOf(only), word))),
    ),
  )
}

/** The account of a row is that of its ad; ids are not repeated. */
function consistent(table: RowTable, names: readonly string[], values: TableRow): RowValue[] {
  const numberAt = (name: string) => values[names.indexOf(name)] as bigint
  return names.map((name, i) => {
    if (name === 'account' && names.includes('ad') && !table.name.startsWith('rollup'))
      return ADS.get(numberAt('ad')) ?? 1n
    if (name === `${table.name}_id` && name in valueIds) return `id ${numberAt(table.name)}`
    if (name === 'run_id') return `run ${numberAt('run')}`
    return values[i] as RowValue
  })
}

const valueIds = { account_id: true, ad_id: true }

const arbitraryStore = fc.record(Object.fromEntries(ROW_TABLES.map((table) => [table.name, arbitraryRows(table)])))

async function openMemory(rows: Readonly<Record<string, TableRow[]>>): Promise<Store> {
  const store = await openStore(':memory:')
  await store.write(async (tables) => {
    await tables.rows.clear(ROW_TABLES[0] as RowTable)
    for (const table of ROW_TABLES)
      await tables.rows.add(
        table,
        listColumns(table).map(({ name }) => name),
        rows[table.name] ?? [],
      )
  })
  return store
}

/** Every row of every table, each as what its columns have. */
async function readAll(store: Store): Promise<Record<string, Record<string, RowValue>[]>> {
  const all: Record<string, Record<string, RowValue>[]> = {}
  for (const table of ROW_TABLES) {
    const columns = listColumns(table).map(({ name }) => name)
    const rows: Record<string, RowValue>[] = []
    for await (const page of store.rows.pages(table, columns, [], 5)) {
      rows.push(
        ...page.map((row) => Object.fromEntries(columns.map((column, i) => [column, plain(row[i] as RowValue)]))),
      )
    }
    all[table.name] = rows
  }
  return all
}

function plain(value: RowValue): RowValue {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}

function moveStore(from: Store, to: Store, options: MoveOptions = {}) {
  return move({ name: 'one', store: from }, { name: 'other', store: to }, options)
}

/** Moves as one who is stopped after so many batches does, and calls it again. */
async function moveInPieces(from: Store, to: Store, batch_rows: number, stops: readonly number[]): Promise<void> {
  for (const stop of stops) {
    let told = 0
    const onProgress = () => assert.ok(told++ < stop, 'stopped')
    const isStopped = await moveStore(from, to, { batch_rows, onProgress }).then(
      () => false,
      (error) => error.message === 'stopped' || Promise.reject(error),
    )
    if (!isStopped) break
    await assert.rejects(refuseHalfMoved(to), /a move into it from one has not ended; call readout move/)
  }
  const { differences, rows } = await moveStore(from, to, { batch_rows })
  assert.deepEqual(differences, [])
  let counted = 0
  for (const table of ROW_TABLES) counted += await to.rows.count(table)
  assert.equal(rows, counted)
}

test('move() has every row of every table there and back, wherever it is stopped', async () => {
  await fc.assert(
    fc.asyncProperty(
      arbitraryStore,
      fc.integer({ min: 1, max: 7 }),
      fc.array(fc.nat(70), { maxLength: 3 }),
      async (rows, batch_rows, stops) => {
        await using first = await openMemory(rows)
        await using other = await openEmptyStore()
        await using back = await openStore(':memory:')
        await moveInPieces(first, other, batch_rows, stops)
        await moveInPieces(other, back, batch_rows, stops)
        const expected = await readAll(first)
        assert.deepEqual(await readAll(other), expected)
        assert.deepEqual(await readAll(back), expected)
      },
    ),
    // Shrinking thirty tables takes longer than reading them.
    { numRuns: runs(40), endOnFailure: true },
  )
})

test('ROW_TABLES has every table, in an order in which rows refer to what is there', async () => {
  const tables = schema.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  assert.deepEqual(ROW_TABLES.map(({ name }) => name).sort(), tables.map(({ name }) => name).sort())
  for (const [i, { name }] of ROW_TABLES.entries()) {
    for (const { table } of schema.prepare(`PRAGMA foreign_key_list(${name})`).all()) {
      assert.ok(
        ROW_TABLES.slice(0, i).some((before) => before.name === table),
        `${name} refers to ${table}`,
      )
    }
  }
})

test('ROW_TABLES has every table of PostgreSQL, and its columns are those of SQLite', {
  skip: ENGINE !== 'postgres',
}, async () => {
  await using database = await openDatabase()
  await using store = await openStore(database.name)
  const client = new pg.Client({ connectionString: database.name })
  await client.connect()
  try {
    const { rows } = await client.query('SELECT tablename FROM pg_tables WHERE schemaname = current_schema()')
    const names = rows.map(({ tablename }) => tablename)
    assert.deepEqual(names.sort(), ['ad_lock', 'tenant', ...ROW_TABLES.map(({ name }) => name)].sort())
    for (const table of ROW_TABLES) {
      assert.deepEqual(
        (await store.rows.listColumns(table)).sort(),
        listColumns(table)
          .map(({ name }) => name)
          .sort(),
        table.name,
      )
    }
    await using from = await openMemory(fc.sample(arbitraryStore, { numRuns: 1, seed: 1 })[0] ?? {})
    await moveStore(from, store)
    const locks = await client.query('SELECT account, ad FROM ad_lock EXCEPT SELECT account, ad FROM ad')
    assert.deepEqual(locks.rows, [])
    assert.equal(Number((await client.query('SELECT COUNT(*) FROM ad_lock')).rows[0].count), ADS.size)
    const tenants = await client.query('SELECT account FROM account EXCEPT SELECT account FROM tenant')
    assert.deepEqual(tenants.rows, [])
  } finally {
    await client.end()
  }
})

test('move() goes on counting where the numbers of the other end', async () => {
  await using from = await openMemory(fc.sample(arbitraryStore, { numRuns: 1, seed: 2 })[0] ?? {})
  await using to = await openEmptyStore()
  await moveStore(from, to)
  const fields = { account_id: '77', name: 'new', currency: 'USD', time_zone: 'UTC', page_ids: [] }
  assert.equal((await to.write(({ registry }) => registry.addAccount(fields))).account, 31)
})

test('move() names the first difference of each table, changes nothing then, and lets nobody use what it left', async () => {
  const rows = { ...fc.sample(arbitraryStore, { numRuns: 1, seed: 3 })[0], subscriber: [['bob', 'DE']] }
  await using from = await openMemory(rows)
  await using to = await openEmptyStore()
  const stopped = moveStore(from, to, {
    onProgress: (_, __, act) => {
      if (act === 'moving message') throw new Error('stopped')
    },
  })
  await assert.rejects(stopped, /stopped/)
  await from.write(({ registry }) => registry.writeCountries(new Map([['ann', 'DE']])))
  const { differences } = await moveStore(from, to)
  assert.deepEqual(differences, ['one has subscriber (subscriber ann) where other has subscriber (subscriber bob)'])
  await assert.rejects(refuseHalfMoved(to), /has not ended/)
  await to.write(({ registry }) => registry.writeCountries(new Map([['ann', 'JP']])))
  const again = await moveStore(from, to)
  assert.deepEqual(again.differences, ['subscriber (subscriber ann) has another country in one than in other'])
})

test('move() that has ended finds all there when it is called again, and changes nothing', async () => {
  await using from = await openMemory(fc.sample(arbitraryStore, { numRuns: 1, seed: 4 })[0] ?? {})
  await using to = await openEmptyStore()
  const { rows } = await moveStore(from, to)
  await refuseHalfMoved(to)
  const before = await readAll(to)
  assert.deepEqual(await moveStore(from, to), { rows, found: rows, differences: [] })
  assert.deepEqual(await readAll(to), before)
})

test('move() refuses a target that holds something, or is that of another move, and a source that is half there', async () => {
  await using from = await openMemory(fc.sample(arbitraryStore, { numRuns: 1, seed: 5 })[0] ?? {})
  await using other = await openMemory({ parked: [], account: [] })
  await using to = await openEmptyStore()
  const fields = { account_id: '77', name: 'new', currency: 'USD', time_zone: 'UTC', page_ids: ['9'] }
  await other.write(({ registry }) => registry.addAccount(fields))
  await assert.rejects(
    moveStore(from, other),
    /cannot move to the database other: it has rows in account, page_link; name one/,
  )
  const stop = () => {
    throw new Error('stopped')
  }
  await assert.rejects(moveStore(from, to, { onProgress: stop }), /stopped/)
  const foreign = move({ name: 'a third', store: other }, { name: 'other', store: to })
  await assert.rejects(foreign, /it is the target of a move from one; name one/)
  await using third = await openStore(':memory:')
  await assert.rejects(moveStore(to, third), /a move into it from one has not ended/)
})

test('move() lets nobody write to the source meanwhile', async () => {
  await using database = await openDatabase()
  await using from = await openStore(database.name)
  await using writing = await openStore(database.name, { busy_ms_max: 1 })
  await using to = await openStore(':memory:')
  const refused: Promise<unknown>[] = []
  await moveStore(from, to, {
    onProgress: () => {
      if (refused.length === 0)
        refused.push(
          assert.rejects(
            writing.write(async () => {}, 'shared'),
            { name: 'StoreUnavailableError' },
          ),
        )
    },
  })
  await Promise.all(refused)
  assert.equal(refused.length, 1)
})

test('move() takes a character that PostgreSQL cannot hold for what it has in its place', async () => {
  await using from = await openMemory({ rejected: [] })
  await from.write(({ setAside }) => setAside.reject([{ reason: 'a\0b', change: '{}' }], 0))
  await using to = await openEmptyStore()
  assert.deepEqual((await moveStore(from, to)).differences, [])
})
