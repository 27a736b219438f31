import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { ON_POSTGRES, openDatabase } from '../../../test/database.ts'
import type { Fact } from '../../domain/fact.ts'
import { Admission, singleIdAd } from '../admission.ts'
import { append } from '../append.ts'
import { gather } from '../gather.ts'
import { openStore } from '../open.ts'
import { REPORT_LIFE_MS, REPORT_ROWS_PER_COMMIT, removeExpiredReports } from '../reports.ts'
import { type Store, StoreUnavailableError } from '../store.ts'
import { endPool, openPool } from './database.ts'

const NOW = Date.parse('2026-11-20T12:00:00Z')

/** Longer than a statement needs to come to a lock, and to wait for it. */
const WAITING_MS = 300

const SENT: Fact = {
  kind: 'sent',
  at: NOW,
  ad_id: '11',
  page_id: '9',
  subscriber: 'ann',
  tracking_id: 'm',
  mid: null,
  price_micros: null,
  country: null,
  btn_name: null,
  error_message: null,
}

/** Stores on one database that has an account with an ad; each may say how its connections begin. */
async function openStores(parts: AsyncDisposableStack, ...settings: string[]): Promise<Store[]> {
  const database = parts.use(await openDatabase())
  const urls = settings.map((setting) => {
    const url = new URL(database.name)
    url.searchParams.set('options', `${url.searchParams.get('options')} ${setting}`.trim())
    return url.href
  })
  const stores: Store[] = []
  for (const url of urls) stores.push(parts.use(await openStore(url)))
  await stores[0]?.write(async ({ registry }) => {
    const fields = { account_id: '1', name: 'One', currency: 'USD', time_zone: 'UTC', page_ids: ['9'] }
    const { account } = await registry.addAccount(fields)
    await registry.addAd(singleIdAd('11', account))
  })
  return stores
}

test('a statement that fails one reader fails no other who reads with it', ON_POSTGRES, async () => {
  await using parts = new AsyncDisposableStack()
  const [store] = (await openStores(parts, '')) as [Store]
  const conditions = [{ field: 'created_at', operator: 'GREATER_THAN', values: ['no time'] }] as const
  const listing = { level: 'ad', parent: { level: 'account', id: '1' }, conditions } as const
  const good = () => store.read(async ({ registry }) => (await registry.listAds()).length)
  const bad = () => store.read(({ edges }) => edges.listIds(listing, { limit: 1 }))
  const refused = () =>
    store.read(async ({ registry }) => {
      await registry.listAds()
      throw new RangeError('of its own')
    })
  const ended = await Promise.allSettled([good(), bad(), good(), refused(), bad(), good()])
  assert.deepEqual(
    ended.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason))),
    [
      1,
      'error: invalid input syntax for type bigint: "no time"',
      1,
      'RangeError: of its own',
      'error: invalid input syntax for type bigint: "no time"',
      1,
    ],
  )
  assert.equal(await good(), 1)
})

test('a batch whose ad cannot be held is put off, and loses nothing', ON_POSTGRES, async () => {
  await using parts = new AsyncDisposableStack()
  const database = parts.use(await openDatabase())
  const store = parts.use(await openStore(database.name))
  const fields = { account_id: '1', name: 'One', currency: 'USD', time_zone: 'UTC', page_ids: ['9'] }
  const { account } = await store.write(({ registry }) => registry.addAccount(fields))
  await store.write(({ registry }) => registry.addAd(singleIdAd('11', account)))
  const take = () =>
    store.write(async (tables) => {
      const admission = new Admission()
      await admission.open(tables.registry, NOW)
      return append(tables, admission, gather([SENT]))
    }, 'shared')
  // As it is while what registered the ad is committed where ads are, and not yet where their threads are.
  await database.exec('CREATE TABLE kept AS SELECT * FROM ad_lock; DELETE FROM ad_lock')
  await assert.rejects(take(), StoreUnavailableError)
  await database.exec('INSERT INTO ad_lock SELECT * FROM kept')
  assert.equal((await take()).merged, 1)
})

const DEFAULTS = ['repeatable read', 'serializable'] as const

for (const isolation of DEFAULTS) {
  test(
    `whoever waits sees what was done meanwhile, where the default isolation is ${isolation}`,
    ON_POSTGRES,
    async () => {
      await using parts = new AsyncDisposableStack()
      const setting = `-cdefault_transaction_isolation=${isolation.replace(' ', '\\ ')}`
      const [one, other] = (await openStores(parts, '', setting)) as [Store, Store]
      for (const [company, time_zone] of [
        ['shared', 'Asia/Tokyo'],
        ['alone', 'Asia/Kolkata'],
      ] as const) {
        const [begun, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
        const acting = one.write(async ({ registry }) => {
          await registry.setAccount('1', { time_zone, link_page_ids: [], unlink_page_ids: [] })
          begun.resolve()
          await release.promise
        })
        await begun.promise
        const waiting = other.write(({ registry }) => registry.readAccount('1'), company)
        await wait(WAITING_MS)
        release.resolve()
        await acting
        assert.equal((await waiting)?.time_zone, time_zone, company)
      }
    },
  )
}

test('a report is there while one of its rows is, whoever removes them', ON_POSTGRES, async () => {
  await using parts = new AsyncDisposableStack()
  const [one, other] = (await openStores(parts, '', '')) as [Store, Store]
  const rows = Array.from({ length: 2 * REPORT_ROWS_PER_COMMIT }, (_, i) => `{"row":${i}}`)
  const order = { run_id: '8', account: 1, node_id: 'act_1', parameters: {}, days: undefined, created_at: NOW }
  await one.write(async ({ reports }) => {
    await reports.add(order)
    await reports.addRows(1, 0, rows)
  })
  const [begun, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  // A server that dies when it has removed the first of them.
  const dying = one.write(async ({ reports }) => {
    await reports.removeRows(1, REPORT_ROWS_PER_COMMIT)
    begun.resolve()
    await release.promise
  }, 'shared')
  await begun.promise
  const { signal } = new AbortController()
  const removing = removeExpiredReports(other, NOW + REPORT_LIFE_MS, signal)
  await wait(WAITING_MS)
  release.resolve()
  await dying
  await removing
  const left = (await other.reports.readRows(1, 0, rows.length)).length
  assert.ok(left === 0 || (await other.reports.listCreatedBefore(NOW + 1)).length === 1, `${left} rows are nobody's`)
  await removeExpiredReports(other, NOW + REPORT_LIFE_MS, signal)
  assert.deepEqual(await other.reports.readRows(1, 0, rows.length), [])
  assert.deepEqual(await other.reports.listCreatedBefore(NOW + 1), [])
})

test('a commit waits for the disk, whatever the database is set to', ON_POSTGRES, async () => {
  await using parts = new AsyncDisposableStack()
  const url = new URL(parts.use(await openDatabase()).name)
  url.searchParams.set('options', `${url.searchParams.get('options') ?? ''} -c synchronous_commit=off`.trim())
  const pool = openPool(url.href, {})
  parts.defer(() => endPool(pool))
  const { rows } = await pool.query('SHOW synchronous_commit')
  assert.deepEqual(rows, [{ synchronous_commit: 'on' }])
})
