import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Admission } from '../src/store/admission.ts'
import { catchUp } from '../src/store/catch-up.ts'
import { FIELDS, openNodes, PAGE, ROW } from './nodes.ts'
import { envelope, ms, NOW } from './open.ts'

const server = await openNodes()
after(() => server[Symbol.asyncDispose]())

test('a campaign is registered, read back, deleted, and its insights stay', async () => {
  const form = 'name=Sale&page_id=900&daily_budget=5000&start_time=1763640000&promoted_object={"pixel_id":"7"}&id=700'
  const post = { method: 'POST', body: new URLSearchParams(form) }
  assert.deepEqual(await server.graph('act_1/message_campaign?access_token=write1', post), { id: '700' })
  assert.deepEqual(await server.graph('act_1/message_campaign?access_token=write1', post), { id: '700' })
  const fields = 'id,campaign{name},creative{actor_id},adset{name,daily_budget,start_time,promoted_object{pixel_id}}'
  const ads = await server.graph(`act_1/ads?fields=${fields}&filtering=[{field:"id",operator:"IN",value:["700"]}]`)
  const adset = {
    name: 'Sale',
    daily_budget: '5000',
    start_time: '1763640000',
    promoted_object: { pixel_id: '7' },
    id: '700',
  }
  assert.deepEqual(ads.data, [
    { id: '700', campaign: { name: 'Sale', id: '700' }, creative: { actor_id: '900' }, adset },
  ])

  await server.graph('act_1/message_campaign?access_token=write1&id=500', { method: 'POST' })
  assert.deepEqual(await server.graph('500?access_token=write1', { method: 'DELETE' }), { success: true })
  const listed = async (query: string) => (await server.graph(`act_1/campaigns?${query}`)).data?.map(({ id }) => id)
  assert.deepEqual(await listed(''), ['10', '700'])
  assert.deepEqual(await listed('effective_status=["DELETED"]'), ['500'])
  assert.deepEqual(await server.graph('500?fields=effective_status'), { effective_status: 'DELETED', id: '500' })
  assert.deepEqual((await server.graph(`500/insights?date_preset=today&${FIELDS}`)).data, [ROW])
})

test('a campaign that is registered again keeps what is not named', async () => {
  const register = (query: string) =>
    server.graph(`act_1/message_campaign?access_token=write1&id=710&${query}`, { method: 'POST' })
  const read = () => server.graph('710?fields=name,status,daily_budget,start_time,stop_time,promoted_object,creative')
  await register('name=Sale&page_id=900&daily_budget=5000&start_time=1763640000&promoted_object={pixel_id:7}')
  await register('end_time=2026-11-20T07:00:00-0500&daily_budget=6000')
  const all = {
    name: 'Sale',
    status: 'ACTIVE',
    daily_budget: '6000',
    start_time: '1763640000',
    stop_time: '2026-11-20T07:00:00-0500',
    promoted_object: { pixel_id: '7' },
    creative: { actor_id: '900' },
    id: '710',
  }
  assert.deepEqual(await read(), all)
  await server.graph('710?access_token=write1', { method: 'DELETE' })
  assert.deepEqual(await register(''), { id: '710' })
  assert.deepEqual(await read(), all)
  const { error } = await register('start_time=2026-11-21T00:00:00Z')
  assert.match(error?.message ?? '', /end_time 2026-11-20T07:00:00-0500 is before start_time 2026-11-21T00:00:00Z/)
  assert.deepEqual(await read(), all)
})

test('a campaign that gets another name keeps the names that were given below it', async () => {
  const register = (query: string) =>
    server.graph(`act_1/message_campaign?access_token=write1&${query}`, { method: 'POST' })
  await register('id=770&name=Sale&adset_id=770&adset_name=Set&ad_id=771')
  await register('id=770&name=Summer sale')
  const names = async () =>
    (await server.graph('770?fields=name,adsets{name},ads{name}')) as unknown as Record<string, unknown>
  assert.match(JSON.stringify(await names()), /"Summer sale".*"Set".*"771"/)
  await register('id=772&name=Sale')
  await register('id=772&name=Summer sale')
  const { data } = await server.graph('772/ads?fields=name,adset{name}')
  assert.deepEqual(data, [{ name: 'Summer sale', adset: { name: 'Summer sale', id: '772' }, id: '772' }])
})

test('a wrong value of a campaign is refused with what it can be', async () => {
  const rows: [query: string, message: string][] = [
    ['daily_budget=abc', "daily_budget cannot be abc: it must be 1 to 15 digits, in the currency's smallest unit"],
    ['page_id=x', 'page_id cannot be x: it must be 1 to 20 digits'],
    ['promoted_object=7', 'promoted_object cannot be 7: it must be an object of at most 1000 characters'],
    ...['tomorrow', '2026-11-20', '2026-02-30T00:00:00Z', '2026-11-20T07:00:00'].map((time): [string, string] => [
      `start_time=${time}`,
      `start_time cannot be ${time}: it must be a Unix timestamp in seconds, or a time with its offset`,
    ]),
  ]
  for (const [query, message] of rows) {
    const path = `act_1/message_campaign?access_token=write1&id=710&${query}`
    const { error } = await server.graph(path, { method: 'POST' })
    assert.ok(error?.message?.startsWith(`(#100) ${message}`), `${query}: ${error?.message}`)
  }
})

test('insights are filtered by the status of the campaign', async () => {
  await server.addCampaign('720', '1')
  await server.graph('720?access_token=write1', { method: 'DELETE' })
  const read = { field: 'marketing_message_reads', page_id: PAGE, messenger_subscription_token: 'eve' }
  const at = ms('2026-11-20T09:00:00Z')
  await server.post(envelope(PAGE, { ...read, timestamp: at, message_id: '720', marketing_message_tracking_id: 't9' }))
  const rows: [field: string, states: string, found: boolean][] = [
    ['campaign.effective_status', '["DELETED"]', true],
    ['ad.effective_status', '["ACTIVE","PAUSED"]', false],
    ['adset.delivery_info', '["deleted"]', true],
    ['ad.delivery_info', '["active","archived"]', false],
  ]
  for (const [field, states, found] of rows) {
    const filtering = `[{"field":"${field}","operator":"IN","value":${states}}]`
    const asked = `level=campaign&date_preset=today&fields=campaign_id&limit=100&filtering=${filtering}`
    const { data } = await server.graph(`act_1/insights?${asked}`)
    assert.equal(
      data?.some(({ campaign_id }) => campaign_id === '720'),
      found,
      filtering,
    )
  }
})

test('a campaign that is registered gets the facts that waited for it', async () => {
  await server.addAccount('3', { page_ids: ['901'] })
  await server.addAccount('4', { page_ids: ['901'] })
  await server.addToken('write4', '4', 'write')
  const read = { field: 'marketing_message_reads', page_id: '901', messenger_subscription_token: 'ben' }
  const at = ms('2026-11-20T09:00:00Z')
  await server.post(envelope('901', { ...read, timestamp: at, message_id: '800', marketing_message_tracking_id: 't2' }))
  await server.graph('act_4/message_campaign?access_token=write4&id=800', { method: 'POST' })
  await catchUp(server.store, new Admission(), () => NOW.epochMilliseconds)
  const { data } = await server.graph(`800/insights?access_token=write4&date_preset=today&${FIELDS}`)
  assert.deepEqual(data, [ROW])
})

test('an ad set and an ad are registered under ids of their own', async () => {
  const register = (query: string) =>
    server.graph(`act_1/message_campaign?access_token=write1&${query}`, { method: 'POST' })
  const all = 'id=730&adset_id=731&ad_id=732&name=Sale&adset_name=Set&ad_name=Ad'
  assert.deepEqual(await register(all), { id: '730' })
  assert.deepEqual(await register(all), { id: '730' })
  assert.deepEqual(await register('id=730&adset_id=731&adset_name=Other'), { id: '730' })
  assert.deepEqual(await register('id=730&adset_id=731&ad_id=733'), { id: '730' })
  const { data } = await server.graph('730/ads?fields=name,adset{name},campaign{name}')
  const above = { adset: { name: 'Other', id: '731' }, campaign: { name: 'Sale', id: '730' } }
  assert.deepEqual(data, [
    { name: 'Ad', ...above, id: '732' },
    { name: '733', ...above, id: '733' },
  ])
  const read = { field: 'marketing_message_reads', page_id: PAGE, messenger_subscription_token: 'eve' }
  const at = ms('2026-11-20T09:00:00Z')
  await server.post(envelope(PAGE, { ...read, timestamp: at, message_id: '732', marketing_message_tracking_id: 't1' }))
  const rows = await server.graph(`730/insights?level=ad&date_preset=today&fields=ad_id,marketing_messages_read`)
  assert.deepEqual(rows.data, [{ ad_id: '732', ...ROW }])

  // An ad set that is not said is the one that the ad is in, or the only one.
  assert.deepEqual(await register('id=730&ad_id=732&ad_name=Ad two'), { id: '730' })
  assert.deepEqual(await register('id=730&ad_id=734'), { id: '730' })
  assert.deepEqual(
    (await server.graph('731/ads?fields=name')).data?.map(({ id, name }) => [id, name]),
    [
      ['732', 'Ad two'],
      ['733', '733'],
      ['734', '734'],
    ],
  )
  // An ad set that is an ad as well has no other ad.
  assert.deepEqual(await register('id=780&adset_id=781&ad_id=781'), { id: '780' })
  assert.deepEqual(await register('id=780&ad_id=782'), { id: '780' })
  assert.equal((await server.graph('782?fields=adset_id')).adset_id, '780')
  assert.deepEqual(await register('id=740&ad_id=741'), { id: '740' })
  assert.deepEqual(await server.graph('741?fields=adset_id,campaign_id'), {
    adset_id: '740',
    campaign_id: '740',
    id: '741',
  })
  await server.addCampaign('750', '1')
  const refused: [query: string, id: string][] = [
    ['id=730&ad_id=600', '600'],
    ['id=730&adset_id=600', '600'],
    ['id=600&ad_id=760', '600'],
    ['id=730&ad_id=750', '750'],
    ['id=730&adset_id=732', '732'],
    ['id=730&ad_id=731', '731'],
    ['id=731', '731'],
    ['id=761&adset_id=731', '731'],
    ['id=750&adset_id=762', '750'],
  ]
  for (const [query, id] of refused) {
    const { error } = await register(query)
    assert.match(error?.message ?? '', new RegExp(`^\\(#100\\) ${id} cannot be registered so`), query)
  }
  assert.equal(await server.store.registry.readNode('761'), undefined)
  assert.match((await register('id=730&ad_name=x')).error?.message ?? '', /ad_name needs ad_id/)
})

test('a campaign of another account is not registered here', async () => {
  const { error } = await server.graph('act_1/message_campaign?access_token=write1&id=600', { method: 'POST' })
  assert.equal(
    error?.message,
    '(#100) 600 cannot be registered so in this ad account: the id is known elsewhere, or as something else',
  )
  assert.equal((await server.store.registry.readNode('600'))?.names.account_id, '2')
})
