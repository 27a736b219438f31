import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openEmptyStore } from '../../test/database.ts'
import type { Fact } from '../domain/fact.ts'
import { Admission, singleIdAd } from './admission.ts'
import { append } from './append.ts'
import { CLAIM_FACTS_MAX, catchUp } from './catch-up.ts'
import { gather } from './gather.ts'
import { ACCOUNT_CELLS } from './rollup-cells.ts'
import type { Store } from './store.ts'
import { noteWorld } from './world.ts'

const NOW_MS = Date.parse('2026-11-20T12:00:00Z')
const ACCOUNT = { account_id: '1', name: 'One', currency: 'USD', time_zone: 'UTC', page_ids: [] }

function read(i: number): Fact {
  const nothing = { mid: null, price_micros: null, country: null, btn_name: null, error_message: null }
  return { kind: 'read', at: NOW_MS, ad_id: '500', page_id: '9', subscriber: `s${i}`, tracking_id: `t${i}`, ...nothing }
}

async function countReads(store: Store): Promise<bigint | undefined> {
  const { sums } = await store.rollups.sumColumns({ account: 1, ads: [ACCOUNT_CELLS] }, { since: 0, until: 99_999 }, [
    'read_c',
  ])
  return sums[0]
}

test('catchUp() counts all facts that were claimed, batch after batch', async () => {
  await using store = await openEmptyStore()
  const admission = new Admission()
  const facts = Array.from({ length: 2 * CLAIM_FACTS_MAX + 1 }, (_, i) => read(i))
  await store.write(async (tables) => {
    await admission.open(tables.registry, NOW_MS)
    assert.equal((await append(tables, admission, gather(facts))).parked, facts.length)
  })
  await store.write(async ({ registry }) => {
    const { account } = await registry.addAccount(ACCOUNT)
    await registry.addAd(singleIdAd('500', account))
  })
  await catchUp(store, admission, () => NOW_MS)
  assert.equal(await countReads(store), BigInt(facts.length))
  assert.deepEqual(await store.setAside.listParked(), [])
})

test('catchUp() that fails forgets what it registered, and takes it the next time', async () => {
  await using store = await openEmptyStore()
  const admission = new Admission()
  await store.write(async (tables) => {
    await admission.open(tables.registry, NOW_MS)
    await append(tables, admission, gather([read(1)]))
  })
  await store.write(({ registry }) => registry.addAccount({ ...ACCOUNT, page_ids: ['9'] }))
  const failing: Store = {
    ...store,
    write: (work, company) =>
      store.write(async (tables) => {
        const result = await work(tables)
        if (result !== undefined) throw new Error('the disk is full')
        return result
      }, company),
  }
  // The ad registers itself in a transaction that is rolled back.
  await assert.rejects(
    catchUp(failing, admission, () => NOW_MS),
    /the disk is full/,
  )
  // Raises the registry's version to what the failed one had it.
  await store.write(({ registry }) =>
    registry.setAccount('1', { name: 'Renamed', link_page_ids: [], unlink_page_ids: [] }),
  )
  await catchUp(store, admission, () => NOW_MS)
  assert.equal(await countReads(store), 1n)
  assert.equal((await store.registry.readPlacement('500'))?.account, 1)
})

test('noteWorld() has every thread resolved anew under another time-zone database, and under the same one none', async () => {
  await using store = await openEmptyStore()
  await store.write(async ({ registry }) => {
    const { account } = await registry.addAccount(ACCOUNT)
    await registry.addAd(singleIdAd('500', account))
  })
  await noteWorld(store, '2026a')
  assert.equal(await store.threads.countUnresolvedAds(), 0, 'what is new was resolved under it')
  await noteWorld(store, '2026a')
  assert.equal(await store.threads.countUnresolvedAds(), 0)
  await noteWorld(store, '2026b')
  assert.equal(await store.threads.countUnresolvedAds(), 1)
})
