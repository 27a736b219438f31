import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { FACT_KINDS, type Fact } from '../src/domain/fact.ts'
import { Random } from '../src/sandbox/random.ts'
import { Admission } from '../src/store/admission.ts'
import { append } from '../src/store/append.ts'
import { gather } from '../src/store/gather.ts'
import { openSqliteStore } from '../src/store/sqlite/store.ts'
import type { Store } from '../src/store/store.ts'
import { verify } from '../src/store/verify.ts'
import { readout } from './command.ts'
import { ms } from './open.ts'
import { TemporaryFolder } from './temporary-folder.ts'

const KEY = ['--hash-key', 'ab'.repeat(32)]
const PAGE_BYTES = 4096
const START_MS = ms('2026-11-01T00:00:00Z')
const BATCH = 200
/** Damaged copies that are looked at. */
const FLIPS = 80

/** Facts of a few ads that no other batch has. */
function batch(number: number): Fact[] {
  const random = new Random(7, number)
  return Array.from({ length: BATCH }, (_, i) => {
    const kind = FACT_KINDS[i % 3] ?? 'read'
    return {
      kind,
      at: START_MS + random.integer(0, 20 * 86_400_000),
      ad_id: String(500 + random.integer(0, 3)),
      page_id: '9',
      subscriber: `s${number} ${i}`,
      tracking_id: `t${i}`,
      mid: null,
      price_micros: kind === 'delivered' ? 14_109n : null,
      country: i % 4 === 0 ? 'BR' : null,
      btn_name: null,
      error_message: null,
    }
  })
}

async function write(store: Store, facts: readonly Fact[]): Promise<void> {
  const admission = new Admission()
  await store.write(async (tables) => {
    await admission.open(tables.registry, START_MS)
    await append(tables, admission, gather(facts))
  })
}

/** Opens a database with an account and some facts, each batch in a transaction of its own. */
async function openLedger(file: string, batches: number): Promise<Store> {
  const store = openSqliteStore(file)
  const account = { account_id: '1', name: 'One', currency: 'USD', time_zone: 'UTC', page_ids: ['9'] }
  await store.write(({ registry }) => registry.addAccount(account))
  for (let i = 0; i < batches; i++) await write(store, batch(i))
  return store
}

/** Every amount that answers are made of. */
async function amounts({ rollups }: Store): Promise<string> {
  const cells = []
  for (const { account, ad } of await rollups.listNodes()) {
    for (const cell of (await rollups.readCells(account, ad)).days()) {
      cells.push([account, ad, cell.day, cell.amounts, Object.values(cell.broken_down).map((map) => [...map])])
    }
  }
  return JSON.stringify(cells, (_, value) => (typeof value === 'bigint' ? String(value) : value))
}

/** What a database says of itself: its amounts where it finds nothing wrong, or what it finds. */
async function judge(file: string): Promise<{ amounts?: string; found?: string }> {
  try {
    await using store = openSqliteStore(file)
    const found = await store.findDamage()
    if (found.length === 0) await store.read((tables) => verify(tables, (one) => found.push(JSON.stringify(one.node))))
    return found.length === 0 ? { amounts: await amounts(store) } : { found: found.join(' ') }
  } catch (error) {
    return { found: String(error) }
  }
}

test('verify says of a database with bytes written over that it is damaged, or its counts are what they were', async () => {
  using folder = new TemporaryFolder()
  const [whole, damaged] = [folder.file('whole.db'), folder.file('damaged.db')]
  await (await openLedger(whole, 4))[Symbol.asyncDispose]()
  const { amounts: known } = await judge(whole)
  assert.ok(known !== undefined && known.length > 10_000)
  const bytes = readFileSync(whole)
  let noticed = 0
  for (let seed = 0; seed < FLIPS; seed++) {
    const random = new Random(11, seed)
    const spoilt = Buffer.from(bytes)
    const start = random.integer(0, bytes.length - 17)
    for (let i = start; i <= start + random.integer(0, 16); i++) spoilt[i] = random.integer(0, 255)
    writeFileSync(damaged, spoilt)
    const { amounts: left } = await judge(damaged)
    if (left === undefined) noticed++
    else assert.equal(left, known, `seed ${seed}, byte ${start}`)
  }
  assert.ok(noticed > FLIPS / 5, `${noticed} of ${FLIPS} noticed`)
})

test('a database that was cut off is refused, wherever it was cut', async () => {
  using folder = new TemporaryFolder()
  const [whole, cut] = [folder.file('whole.db'), folder.file('cut.db')]
  await (await openLedger(whole, 1))[Symbol.asyncDispose]()
  for (let size = 2; size < statSync(whole).size; size += PAGE_BYTES * 7) {
    copyFileSync(whole, cut)
    truncateSync(cut, size)
    assert.match(
      (await judge(cut)).found ?? '',
      /cannot open the database .*: it is (?:damaged; put a backup|no database)/,
    )
  }
})

test('of a log with bytes written over, the transactions before them are there, each whole', async () => {
  using folder = new TemporaryFolder()
  const [whole, damaged] = [folder.file('whole.db'), folder.file('damaged.db')]
  const prefixes = new Set<string>()
  {
    await using store = await openLedger(whole, 0)
    prefixes.add(await amounts(store))
    for (let i = 0; i < 5; i++) {
      await write(store, batch(i))
      prefixes.add(await amounts(store))
    }
    for (const end of ['', '-wal']) copyFileSync(whole + end, folder.file(`killed.db${end}`))
  }
  const log = readFileSync(folder.file('killed.db-wal'))
  const left = new Set<string>()
  for (let seed = 0; seed < 40; seed++) {
    const random = new Random(13, seed)
    copyFileSync(folder.file('killed.db'), damaged)
    const spoilt = Buffer.from(log)
    spoilt[random.integer(0, log.length - 1)] = random.integer(0, 255)
    writeFileSync(`${damaged}-wal`, spoilt)
    const judged = await judge(damaged)
    // The log of the first transaction of all holds the tables themselves.
    if (judged.amounts === undefined) continue
    assert.ok(prefixes.has(judged.amounts), `seed ${seed}`)
    left.add(judged.amounts)
  }
  assert.ok(left.size > 2, `${left.size} states`)
})

test('the commands say in one line that a database is damaged, and what to do', async () => {
  using folder = new TemporaryFolder()
  const file = folder.file('readout.db')
  await (await openLedger(file, 2))[Symbol.asyncDispose]()
  const args = ['--database', file, ...KEY]
  assert.equal((await readout(['verify', ...args])).code, 0)
  const bytes = readFileSync(file)
  const page = pageOf(file, 'rollup')
  writeFileSync(file, bytes.fill(0x5a, page * PAGE_BYTES, page * PAGE_BYTES + 100))
  const verified = await readout(['verify', ...args])
  assert.match(
    verified.stderr,
    /^[^:]+\nreadout: the database is damaged, .*put a backup in its place with: readout restore\n$/,
  )
  const asked = await readout(['insights', 'act_1', '--date-preset', 'maximum', ...args])
  assert.match(
    asked.stderr,
    /^readout: cannot (?:read|use) the database.*: it is damaged; put a backup in its place with: readout restore\n$/,
  )
  assert.deepEqual([verified.code, asked.code], [1, 1])
})

test('an empty file beside a key is not taken for a new database', async () => {
  using folder = new TemporaryFolder()
  const file = folder.file('readout.db')
  const add = [
    'account',
    'add',
    'act_1',
    '--name',
    'One',
    '--currency',
    'USD',
    '--time-zone',
    'UTC',
    '--database',
    file,
  ]
  writeFileSync(file, '')
  assert.equal((await readout(add)).code, 0)
  for (const [i, args] of [['serve', '--port', '0', '--database', file], add].entries()) {
    truncateSync(file, i)
    const ended = await readout(args)
    assert.match(
      ended.stderr,
      /^readout: cannot open .*: it is empty, and .*\.key is the key of what was in it; put a backup/,
    )
    assert.equal(ended.code, 1)
  }
})

/** The first page of a table, counted from 0. */
function pageOf(file: string, table: string): number {
  using db = new DatabaseSync(file, { readOnly: true })
  return Number(db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table)?.rootpage) - 1
}
