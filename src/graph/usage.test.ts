import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { askDoor, doorOf, openTenants, TOKEN, WRITE_TOKEN } from '../../test/tenants.ts'
import { RequestLimit } from './request-limit.ts'

const RUN_ID = '900000000000000007'

const store = await openTenants()
after(() => store[Symbol.asyncDispose]())
await store.write(async ({ registry, reports }) => {
  const { account = 0 } = (await registry.readAccount('1')) ?? {}
  const order = { account, node_id: 'act_1', parameters: {}, days: undefined, created_at: Date.parse('2026-03-18') }
  await reports.add({ ...order, run_id: RUN_ID })
})

/** Account, type, percent and minutes of the header, of `METHOD URL`. */
async function usedBy(request: string, door = doorOf(store)): Promise<unknown> {
  const [url = '', method = 'GET'] = request.split(' ').reverse()
  const usage = (await askDoor(door, url, { method })).headers['x-business-use-case-usage']
  if (usage === undefined) return undefined
  const [[account_id, [used, ...others]] = ['', []]] = Object.entries<Record<string, unknown>[]>(JSON.parse(usage))
  assert.deepEqual(others, [])
  const { type, call_count, estimated_time_to_regain_access, ...rest } = used ?? {}
  assert.deepEqual(rest, { total_cputime: 0, total_time: 0, ads_api_access_tier: 'standard_access' })
  return [account_id, type, call_count, estimated_time_to_regain_access]
}

test('answer() names the account that a call is about, and nothing used where nothing is limited', async () => {
  for (const id of ['act_1', '11', RUN_ID]) {
    assert.deepEqual(await usedBy(`/v25.0/${id}/insights`), ['1', 'ads_insights', 0, 0], id)
  }
  assert.deepEqual(await usedBy(`/${RUN_ID}`), ['1', 'ads_insights', 0, 0])
  assert.deepEqual(await usedBy('POST /act_1/insights'), ['1', 'ads_insights', 0, 0])
  for (const request of ['/act_1', '/11/ads', '/11?fields=nope', `DELETE /act_1?access_token=${WRITE_TOKEN}`]) {
    assert.deepEqual(await usedBy(request), ['1', 'ads_management', 0, 0], request)
  }
})

test('answer() names no account where a call is about none, or none that the token may see', async () => {
  for (const url of ['/me', '/me/adaccounts', '/?ids=11', '/act_2', '/21/insights', '/99', '/11?access_token=x']) {
    assert.equal(await usedBy(url), undefined, url)
  }
})

test('answer() tells what is used of the request limit, and in how many minutes there is more', async () => {
  const door = doorOf(store, { request_limit: new RequestLimit(2) })
  const asked = [await usedBy('/11', door), await usedBy('/11/insights', door), await usedBy('/11/insights', door)]
  assert.deepEqual(asked, [
    ['1', 'ads_management', 50, 0],
    ['1', 'ads_insights', 100, 0],
    ['1', 'ads_insights', 100, 60],
  ])
  assert.equal(await usedBy(`/21/insights?access_token=${TOKEN}`, door), undefined)
})
