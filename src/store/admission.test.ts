import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openEmptyStore } from '../../test/database.ts'
import type { Fact } from '../domain/fact.ts'
import { Admission, singleIdAd } from './admission.ts'
import { type Appended, append } from './append.ts'
import { forget } from './forget.ts'
import { gather } from './gather.ts'
import type { Store } from './store.ts'

const NOW_MS = Date.parse('2026-11-20T12:00:00Z')

let made = 0

/** A read of another message each time. */
function read({ ad_id = '500', page_id = '9', subscriber = 'ann' } = {}): Fact {
  const nothing = { mid: null, price_micros: null, country: null, btn_name: null, error_message: null }
  return { kind: 'read', at: NOW_MS, ad_id, page_id, subscriber, tracking_id: `t${made++}`, ...nothing }
}

/** A store with accounts 1 and 2, of which 1 is linked to page 9. */
async function openAccounts() {
  const store = await openEmptyStore()
  for (const account_id of ['1', '2']) {
    const names = { account_id, name: account_id, currency: 'USD', time_zone: 'UTC' }
    await store.write(({ registry }) => registry.addAccount({ ...names, page_ids: account_id === '1' ? ['9'] : [] }))
  }
  return store
}

async function rename(store: Store): Promise<void> {
  await store.write(({ registry }) =>
    registry.setAccount('1', { name: 'Renamed', link_page_ids: [], unlink_page_ids: [] }),
  )
}

function take(store: Store, admission: Admission, ...facts: Fact[]): Promise<Appended> {
  return store.write(async (tables) => {
    await admission.open(tables.registry, NOW_MS)
    return append(tables, admission, gather(facts))
  })
}

test('a page that was moved to another account is not counted in the first any more', async () => {
  await using store = await openAccounts()
  const admission = new Admission()
  assert.equal((await take(store, admission, read())).merged, 1)
  await store.write(async ({ registry }) => {
    await registry.setAccount('1', { link_page_ids: [], unlink_page_ids: ['9'] })
    await registry.setAccount('2', { link_page_ids: ['9'], unlink_page_ids: [] })
  })
  for (let batch = 0; batch < 3; batch++) {
    const { merged, parked } = await take(store, admission, read())
    assert.deepEqual([merged, parked], [0, 1], `batch ${batch}`)
  }
})

test('late facts of a person who was forgotten are refused, those of others counted', async () => {
  await using store = await openAccounts()
  const admission = new Admission()
  await take(store, admission, read(), read({ subscriber: 'bob' }))
  await forget(store, 'ann', 'nobody', NOW_MS)
  // In the second batch it is remembered where the ad is counted.
  for (let batch = 0; batch < 2; batch++) {
    const { merged, forgotten } = await take(store, admission, read(), read({ subscriber: 'bob' }), read())
    assert.deepEqual([merged, forgotten], [1, 2], `batch ${batch}`)
  }
})

test('an ad does not register itself under the id of an ad set', async () => {
  await using store = await openAccounts()
  const admission = new Admission()
  await store.write(async ({ registry }) => {
    const { account = 0 } = (await registry.readAccount('1')) ?? {}
    await registry.addAd({ ...singleIdAd('700', account), adset_id: '800', adset_name: 'Set', ad_id: '900' })
  })
  const { merged, parked } = await take(store, admission, read({ ad_id: '800' }), read({ ad_id: '900' }))
  assert.deepEqual([merged, parked], [1, 1])
  const adset = await store.registry.readNode('800')
  assert.deepEqual([adset?.level, adset?.names.campaign_id], ['adset', '700'])
  assert.deepEqual(await store.write(({ setAside }) => setAside.takeClaimed(10)), [], 'nobody has claimed it')
})

test('what a failed transaction registered is not remembered', async () => {
  await using store = await openAccounts()
  const admission = new Admission()
  const failed = store.write(async (tables) => {
    await admission.open(tables.registry, NOW_MS)
    await append(tables, admission, gather([read()]))
    throw new Error('the disk is full')
  })
  await assert.rejects(failed)
  admission.close()
  // Raises the registry's version to what the failed one had it.
  await rename(store)
  assert.equal((await take(store, admission, read())).merged, 1)
  assert.equal((await store.registry.readPlacement('500'))?.account, 1)
})
