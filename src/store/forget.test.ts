import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openEmptyStore } from '../../test/database.ts'
import type { Fact } from '../domain/fact.ts'
import { Admission, singleIdAd } from './admission.ts'
import { append } from './append.ts'
import { catchUp, catchUpStep, RESOLVE_THREADS_MAX } from './catch-up.ts'
import { forget } from './forget.ts'
import { gather } from './gather.ts'
import { rebuild, verify } from './verify.ts'

const NOW = Date.parse('2026-11-20T12:00:00Z')

/** Somebody after whom everybody else comes, and somebody who comes after everybody. */
const [FIRST, LAST] = ['!', '~']

test('forget() hides nobody from who is being resolved anew', async () => {
  await using store = await openEmptyStore()
  const admission = new Admission()
  const { account } = await store.write(({ registry }) =>
    registry.addAccount({ account_id: '1', name: 'One', currency: 'USD', time_zone: 'UTC', page_ids: [] }),
  )
  await store.write(({ registry }) => registry.addAd(singleIdAd('11', account)))
  const people = [...Array.from({ length: RESOLVE_THREADS_MAX + 1 }, (_, i) => `subscriber ${i}`), LAST]
  const nothing = { mid: null, price_micros: null, country: null, btn_name: null, error_message: null }
  const facts = people.map((subscriber): Fact => {
    // An hour after midnight: in Honolulu it is the day before.
    const at = Date.parse('2026-11-20T01:00:00Z')
    return { kind: 'sent', at, ad_id: '11', page_id: '9', subscriber, tracking_id: 'm', ...nothing }
  })
  await store.write(async (tables) => {
    await admission.open(tables.registry, NOW)
    await append(tables, admission, gather(facts))
  })
  await store.write(({ registry }) =>
    registry.setAccount('1', { time_zone: 'Pacific/Honolulu', link_page_ids: [], unlink_page_ids: [] }),
  )
  await catchUpStep(store, admission, NOW)
  assert.equal(await forget(store, LAST, FIRST, NOW), 1)
  await catchUp(store, admission, () => NOW)
  const days = async () => Array.from((await store.rollups.readCells(account, 1)).days(), ({ day }) => day)
  const resolved = await days()
  let discrepancies = 0
  await store.read((tables) => verify(tables, () => discrepancies++))
  await rebuild(store, admission, () => NOW)
  assert.deepEqual([resolved.length, resolved, discrepancies], [1, await days(), 0])
})
