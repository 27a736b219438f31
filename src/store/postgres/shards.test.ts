import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { ON_POSTGRES, openDatabase } from '../../../test/database.ts'
import { envelope, ms, NOW, TestServer } from '../../../test/open.ts'
import { parseDay } from '../../domain/day.ts'
import type { Fact, FactKind } from '../../domain/fact.ts'
import { Admission, singleIdAd } from '../admission.ts'
import { append } from '../append.ts'
import { catchUp } from '../catch-up.ts'
import { forget } from '../forget.ts'
import { gather } from '../gather.ts'
import { openStore } from '../open.ts'
import { prune } from '../prune.ts'
import type { Store } from '../store.ts'
import { rebuild, verify } from '../verify.ts'
import { sentStatements } from './session.ts'
import { COPIED_TABLES, TENANT_TABLES } from './tenant.ts'

const NOW_MS = NOW.epochMilliseconds
const now_ms = () => NOW_MS

/** What is about all accounts at once, and no part of a batch or of an answer. */
const OF_EVERY_SHARD = [/^\s*SELECT account, ad FROM rollup UNION/, /^\s*SELECT COUNT\(\*\) AS messages FROM message$/]

/** What says the account of the rows that are inserted: the caller, or a row of the same account. */
const OWN_ROWS = /\(account, [^)]*\)\s+(?:VALUES \(\$1,|SELECT (?:tenant\.)?account,|SELECT \$3::integer,)/

test('every statement is about one shard, a table that is copied to all, or the coordinator', ON_POSTGRES, async () => {
  await using database = await openDatabase()
  {
    await using store = await openStore(database.name)
    await liveThroughAll(store)
  }
  const statements = sentStatements().filter((sql) => tablesOf(sql).length > 0)
  const others = new Set(await listTables(database.name, TENANT_TABLES))
  const ofTenants = statements.filter((sql) => tablesOf(sql).some(({ table }) => TENANT_TABLES.includes(table)))
  for (const sql of ofTenants) {
    const tables = tablesOf(sql)
    const local = tables.filter(({ table }) => others.has(table) && !COPIED_TABLES.includes(table))
    assert.deepEqual(local, [], `the coordinator's tables and a tenant's in one statement: ${sql}`)
    if (OF_EVERY_SHARD.some((one) => one.test(sql))) continue
    const read = tables.filter(({ table, word }) => TENANT_TABLES.includes(table) && word !== 'INTO')
    const pinned = sql.match(/\baccount = \$\d/g) ?? []
    assert.ok(pinned.length >= read.length, `a table without its account: ${sql}`)
    if (tables.some(({ word }) => word === 'INTO')) assert.match(sql, OWN_ROWS)
  }
  const named = new Set(ofTenants.flatMap(tablesOf).map(({ table }) => table))
  assert.deepEqual(
    TENANT_TABLES.filter((table) => !named.has(table)),
    [],
  )
  for (const one of OF_EVERY_SHARD) assert.ok(statements.some((sql) => one.test(sql)))
})

test('a batch of ads that are known writes to its account, and to nothing that is shared', ON_POSTGRES, async () => {
  await using database = await openDatabase()
  await using server = await TestServer.open({ database: database.name })
  await server.addAccount('1', { page_ids: ['9'] })
  const read = (ad_id: string, hour: string) => envelope('9', { ...READ, message_id: ad_id, timestamp: ms(hour) })
  assert.equal((await server.post(read('500', '2026-11-20T09:00:00Z'))).status, 200)
  await refuseWrites(database.name)
  assert.equal((await server.post(read('500', '2026-11-20T10:00:00Z'))).status, 200)
  assert.equal((await server.post(read('501', '2026-11-20T10:00:00Z'))).status, 503, 'nothing refuses to be written')
  const row = await server.row('500', 'fields=marketing_messages_read&date_preset=maximum', '1')
  assert.equal(row?.marketing_messages_read, '1')
})

const READ = {
  field: 'marketing_message_reads',
  marketing_message_tracking_id: 't1',
  messenger_subscription_token: 'A1B2C3D4E5F6G7H8I9J0',
}

/** Has every table that is no tenant's refuse to be written. */
async function refuseWrites(database: string): Promise<void> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  await client.query(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'it is shared'; END $$`)
  const citus = await client.query("SELECT FROM pg_extension WHERE extname = 'citus'")
  // Citus has no triggers on tables that it copies; what writes to one is committed in two phases, which the law above rules out.
  const left = citus.rowCount === 0 ? TENANT_TABLES : [...TENANT_TABLES, ...COPIED_TABLES]
  for (const table of await listTables(database, left)) {
    await client.query(`
      CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse()`)
  }
  await client.end()
}

async function listTables(database: string, left_out: readonly string[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  const tables = await client.query('SELECT tablename FROM pg_tables WHERE schemaname = current_schema()')
  await client.end()
  return tables.rows.map(({ tablename }) => String(tablename)).filter((table) => !left_out.includes(table))
}

/** The tables that a statement names, each after a word of SQL. */
function tablesOf(sql: string): { word: string; table: string }[] {
  const named = sql.matchAll(/\b(FROM|JOIN|INTO|UPDATE) ([a-z_]+)\b(?!\()/g)
  return [...named].map(([, word = '', table = '']) => ({ word, table }))
}

/** Does with a store what servers and commands do, so that each of its statements is sent. */
async function liveThroughAll(store: Store): Promise<void> {
  const admission = new Admission()
  const take = (...facts: readonly Fact[]) =>
    store.write(async (tables) => {
      await admission.open(tables.registry, NOW_MS)
      return append(tables, admission, gather(facts))
    }, 'shared')
  for (const account_id of ['1', '2']) {
    const fields = { account_id, name: account_id, currency: 'USD', time_zone: 'UTC', page_ids: ['9'] }
    await store.write(({ registry }) => registry.addAccount(fields))
  }
  await store.write(({ registry }) => registry.addAd(singleIdAd('500', 1)))
  await take(...KINDS.map((kind) => fact(kind)), fact('sent', { ad_id: '600' }))
  await take(fact('clicked', { mid: 'm1' }), fact('read', { country: 'BR' }))
  await readAll(store)
  await store.write(async ({ registry }) => {
    await registry.setAccount('1', { time_zone: 'Asia/Kolkata', link_page_ids: [], unlink_page_ids: [] })
    await registry.writeCountries(new Map([['ann', 'DE']]))
    await registry.resolveAll()
  })
  await catchUp(store, admission, now_ms)
  const accounts = await store.registry.listAccounts()
  const quiet = { now_ms, rest: async () => {}, onProgress: () => {} }
  await prune(store, admission, { accounts, before: parseDay('2026-06-01') ?? 0, ...quiet })
  await take(fact('sent', { at: NOW_MS }), fact('read'))
  await forget(store, 'ann', 'nobody', NOW_MS)
  await store.write(async ({ registry, rollups }) => {
    await registry.moveCampaign('500', 2)
    for (const account of [1, 2]) await rollups.sumAccount(account)
  })
  await catchUp(store, admission, now_ms)
  const reported: unknown[] = []
  await store.read((tables) => verify(tables, (one) => reported.push(one)))
  await rebuild(store, admission, now_ms)
  await store.threads.readBytesPerMessage()
  assert.deepEqual(reported, [])
}

async function readAll({ rollups }: Store): Promise<void> {
  const node = { account: 1, ads: [1] }
  const days = { since: 0, until: 100_000 }
  await rollups.sumColumns(node, days, ['sent_c'])
  await rollups.readDaySums(node, days, ['sent_c'])
  for (const [breakdown, column] of BREAKDOWNS) {
    await rollups.readBreakdownSums(node, days, { breakdown, columns: [column], by_day: true })
    await rollups.countCells(node, days, breakdown)
  }
  await rollups.readDays(node)
  await rollups.readEverSent(node)
  await rollups.readFailures(node)
  await rollups.sumPage('9', ['delivered'])
}

const BREAKDOWNS = [
  ['country', 'sent'],
  ['hour', 'sent_c'],
  ['btn_name', 'link_btn_click_c'],
] as const

const KINDS: readonly FactKind[] = ['sent', 'delivered', 'read', 'clicked', 'failed']

function fact(kind: FactKind, fields: Partial<Fact> = {}): Fact {
  const isOfMessage = kind === 'sent' || kind === 'delivered' || kind === 'read'
  return {
    kind,
    at: Date.parse('2026-03-03T10:00:00Z'),
    ad_id: '500',
    page_id: '9',
    subscriber: 'ann',
    tracking_id: isOfMessage ? 't1' : null,
    mid: null,
    price_micros: null,
    country: null,
    btn_name: kind === 'clicked' ? 'Shop' : null,
    error_message: kind === 'failed' ? 'away' : null,
    ...fields,
  }
}
