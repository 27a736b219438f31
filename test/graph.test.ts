import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { pino } from 'pino'
import { Admission } from '../src/store/admission.ts'
import { catchUp } from '../src/store/catch-up.ts'
import { envelope, type Json, ms, NOW, TestServer } from './open.ts'

const PAGE = '900'

/** Account 1 has campaign 500, which is one id, and campaign 10 with ad set 20 and 1,000 ads. */
const ADS = Array.from({ length: 1000 }, (_, i) => String(100_000 + i))

const server = await TestServer.open()
after(() => server[Symbol.asyncDispose]())
await server.addAccount('1', { name: 'One', time_zone: 'America/New_York', page_ids: [PAGE] })
await server.addAccount('2')
await server.addToken('write1', '1', 'write')
await server.addCampaign('600', '2')
await server.store.write(async ({ registry }) => {
  const { account = 0 } = (await registry.readAccount('1')) ?? {}
  const names = { campaign_id: '10', campaign_name: 'Many', adset_id: '20', adset_name: 'Set' }
  for (const ad_id of ADS) await registry.addAd({ account, ad_id, ad_name: `Ad ${ad_id}`, ...names })
})
await server.post(
  envelope(PAGE, {
    field: 'marketing_message_reads',
    timestamp: ms('2026-11-20T09:00:00Z'),
    page_id: PAGE,
    message_id: '500',
    messenger_subscription_token: 'ann',
    marketing_message_tracking_id: 't1',
  }),
)

const FIELDS = 'fields=marketing_messages_read'
const ROW = { marketing_messages_read: '1', date_start: '2026-11-20', date_stop: '2026-11-20' }
const PAGING = { cursors: { before: 'MAZDZD', after: 'MAZDZD' } }

test('a node answers the fields asked, its id in any case, and what clients read without asking', async () => {
  const rows: [path: string, node: unknown][] = [
    ['act_1', { account_id: '1', id: 'act_1' }],
    ['act_1/?fields=name,currency', { name: 'One', currency: 'USD', id: 'act_1' }],
    [
      `act_1?fields=['id', 'account_id', 'timezone_name', 'timezone_offset_hours_utc', 'account_status', 'balance']`,
      {
        id: 'act_1',
        account_id: '1',
        timezone_name: 'America/New_York',
        timezone_offset_hours_utc: -5,
        account_status: 1,
      },
    ],
    ['500', { id: '500' }],
    ['500?fields=["name","status","objective"]', { name: '500', status: 'ACTIVE', id: '500' }],
    [
      '500?fields=created_time,is_message_campaign',
      { created_time: '2026-11-20T07:00:00-0500', is_message_campaign: true, id: '500' },
    ],
    ['20?fields=name,campaign{name}', { name: 'Set', campaign: { name: 'Many', id: '10' }, id: '20' }],
    [
      `${ADS[0]}?fields=adset_id,adset{campaign{id}}`,
      { adset_id: '20', adset: { campaign: { id: '10' }, id: '20' }, id: ADS[0] },
    ],
  ]
  for (const [path, node] of rows) assert.deepEqual(await server.graph(path), node, path)
})

test('the one id of a message campaign answers as campaign, ad set and ad', async () => {
  const fields = 'id,campaign{name},creative{actor_id},adset{name,campaign_id},adset_id'
  assert.deepEqual(await server.graph(`500?fields=${fields}`), {
    id: '500',
    campaign: { name: '500', id: '500' },
    adset: { name: '500', campaign_id: '500', id: '500' },
    adset_id: '500',
  })
})

test('a field expands to an edge, with its parameters, and is absent when empty', async () => {
  const insights = `insights.date_preset(today){marketing_messages_read}`
  assert.deepEqual(await server.graph(`500?fields=name,${insights}`), {
    name: '500',
    insights: { data: [ROW], paging: PAGING },
    id: '500',
  })
  const range = `insights.time_range({"since":"2026-11-20","until":"2026-11-20"}).limit(5){marketing_messages_read}`
  const { campaigns } = await server.graph(`act_1?fields=campaigns.limit(1){name,${range}}`)
  assert.deepEqual(campaigns?.data, [{ name: 'Many', id: '10' }])
  const second = (await (await fetch(String(campaigns?.paging?.next))).json()) as Json
  assert.deepEqual(second.data, [{ name: '500', insights: { data: [ROW], paging: PAGING }, id: '500' }])
  assert.deepEqual(await server.graph('500?fields=adcreatives,insights.date_preset(yesterday){spend}'), { id: '500' })
})

test('an expanded field asks for no more than an answer can hold', async () => {
  const deep = 'ads.limit(1000){campaign{ads.limit(1000){id}}}'
  const response = await fetch(`${server.url}/v25.0/10?fields=${deep}&access_token=token1`)
  assert.equal(response.status, 500)
  const { error } = (await response.json()) as Json
  assert.equal(error?.message, "Please reduce the amount of data you're asking for, then retry your request")
})

test('links lead to where the caller came from, whatever stands before the server', async () => {
  const rows: [headers: Record<string, string>, base_url: string][] = [
    [{}, server.url],
    [{ 'x-forwarded-host': 'api.example:8443', 'x-forwarded-proto': 'https' }, 'https://api.example:8443'],
    [{ 'x-forwarded-host': 'api.example, inner', 'x-forwarded-proto': 'HTTPS, http' }, 'https://api.example'],
    [{ 'x-forwarded-host': '[::1]:80' }, 'http://[::1]:80'],
    [{ 'x-forwarded-host': 'evil.example:80:90[[' }, 'http://localhost'],
    [{ 'x-forwarded-host': 'evil.example/x?' }, 'http://localhost'],
  ]
  for (const [headers, base_url] of rows) {
    const { paging } = await server.graph('10/ads?limit=1', { headers })
    assert.ok(String(paging?.next).startsWith(`${base_url}/v25.0/10/ads?`), `${paging?.next}`)
  }
})

async function follow(first: string, link: 'next' | 'previous'): Promise<string[][]> {
  const pages: string[][] = []
  for (let url: string | undefined = first; url !== undefined; ) {
    const page = (await (await fetch(url)).json()) as { data: { id: string }[]; paging?: Record<string, string> }
    pages.push(page.data.map(({ id }) => id))
    url = page.paging?.[link]
  }
  return pages
}

test('an edge of 1,000 ads is read page by page, each ad once, there and back', async () => {
  const there = await follow(`${server.url}/v25.0/10/ads?limit=77&access_token=token1`, 'next')
  assert.equal(there.length, 13)
  assert.deepEqual(there.flat(), ADS)
  const cursor = (await server.graph('10/ads?limit=1000')).paging?.cursors?.after
  const back = await follow(`${server.url}/v25.0/10/ads?limit=77&before=${cursor}&access_token=token1`, 'previous')
  assert.deepEqual(back.toReversed().flat(), ADS.slice(0, -1))
  assert.match(String(cursor), /^QVFI/)
})

test('a thousand ads are read with the campaign and the ad set above them', async () => {
  const { data } = await server.graph('act_1/ads?limit=1000&fields=name,adset{name},campaign{name,status}')
  assert.equal(data?.length, 1000)
  const campaign = { name: 'Many', status: 'ACTIVE', id: '10' }
  assert.deepEqual(data[7], { name: `Ad ${ADS[7]}`, adset: { name: 'Set', id: '20' }, campaign, id: ADS[7] })
})

test('an edge has 25 nodes on a page, counts all when asked, and is empty without paging', async () => {
  const page = await server.graph('act_1/ads?summary=true')
  assert.deepEqual([page.data?.length, page.summary], [25, { total_count: 1001 }])
  assert.deepEqual((await server.graph('act_1/adsets')).data, [{ id: '20' }, { id: '500' }])
  for (const edge of ['adcreatives', 'adimages', 'advideos', 'adlabels', 'customaudiences', 'customconversions']) {
    assert.deepEqual(await server.graph(`act_1/${edge}?limit=100`), { data: [] })
  }
})

test('an edge is filtered as clients filter it', async () => {
  const ids = async (path: string) => (await server.graph(`act_1/${path}`)).data?.map(({ id }) => id)
  const states = '["active", "archived", "deleted", "permanently_deleted"]'
  const rows: [path: string, ids: string[]][] = [
    [`campaigns?filtering=[{"field":"campaign.delivery_info","operator":"IN","value":${states}}]`, ['10', '500']],
    ['campaigns?effective_status=["PAUSED"]', []],
    ["ads?filtering=[{'field':'campaign.id','operator':'EQUAL','value':'500'}]", ['500']],
    ['ads?filtering=[{field:"ad.name",operator:"CONTAIN",value:"100007"}]', ['100007']],
    [`ads?filtering[0][field]=id&filtering[0][operator]=IN&filtering[0][value][0]=${ADS[3]}`, [ADS[3] ?? '']],
    // Nobody knows when campaign 10 was registered: whoever syncs by time must not miss it.
    [
      `campaigns?filtering=[{field:"campaign.updated_time",operator:"GREATER_THAN",value:${NOW.epochMilliseconds / 1000}}]`,
      ['10'],
    ],
    [`campaigns?updated_since=${NOW.epochMilliseconds / 1000 - 1}`, ['10', '500']],
  ]
  for (const [path, expected] of rows) assert.deepEqual(await ids(path), expected, path)
})

test('/me is the user that the token stands for, and lists its accounts', async () => {
  const me = await server.graph('me')
  assert.match(String(me.id), /^\d+$/)
  assert.deepEqual(await server.graph('me/adaccounts'), {
    data: [{ account_id: '1', id: 'act_1' }],
    paging: { cursors: { before: 'QVFIMQZDZD', after: 'QVFIMQZDZD' } },
  })
  const filtered = await server.graph('me/adaccounts?effective_status=["ACTIVE"]&updated_since=1&limit=1')
  assert.deepEqual(filtered.data, [{ account_id: '1', id: 'act_1' }])
  const { adaccounts } = await server.graph('me?fields=adaccounts{name,campaigns.summary(true).limit(1){id}}')
  assert.deepEqual(adaccounts?.data?.[0]?.campaigns?.summary, { total_count: 2 })
})

test('ids= answers several nodes by their ids', async () => {
  const named = { '500': { name: '500', id: '500' }, act_1: { name: 'One', id: 'act_1' } }
  assert.deepEqual(await server.graph('?ids=500,act_1&fields=name'), named)
  assert.deepEqual(await server.graph('/?ids=["500","act_1"]&fields=name'), named)
})

test('ids= answers an edge of several nodes, each as if it were asked alone', async () => {
  const many = (path: string) => server.graph(path.replace('?', '?ids=act_1,500&'))
  for (const path of [
    `insights?date_preset=today&${FIELDS}`,
    'ads?limit=1&fields=name&summary=true',
    'adcreatives?a=b',
  ]) {
    const alone = await Promise.all(['act_1', '500'].map((id) => server.graph(`${id}/${path}`)))
    assert.deepEqual(await many(path), { act_1: alone[0], 500: alone[1] }, path)
  }
  assert.deepEqual(Object.keys(await server.graph('adaccounts?ids=me')), ['me'])
  const { act_1 } = await server.graph('insights?ids=act_1&export_format=csv', {})
  assert.match(String(act_1?.report_run_id), /^9\d{17}$/)
  const runs = await server.graph(`?ids=${act_1?.report_run_id}&fields=async_status`)
  assert.deepEqual(Object.values(runs), [{ async_status: 'Job Completed', id: act_1?.report_run_id }])
})

test('the id of the user that a token stands for is as good as me', async () => {
  const me = await server.graph('me?fields=name,adaccounts')
  const { id } = me
  assert.deepEqual(await server.graph(`${id}?fields=name,adaccounts`), me)
  const listOf = async (of: string) => (await server.graph(`${of}/adaccounts`)).data
  assert.deepEqual(await listOf(String(id)), await listOf('me'))
  assert.deepEqual((await server.graph(`?ids=${id}&fields=name`))[String(id)]?.id, id)
  assert.deepEqual(Object.keys(await server.graph(`adaccounts?ids=${id}`)), [id])
  for (const path of ['', '/adaccounts', '/insights']) {
    const foreign = await server.graph(`${id}${path}?access_token=write1`)
    assert.deepEqual([foreign.error?.code, foreign.error?.error_subcode], [100, 33], path)
  }
})

test('a token is exchanged for itself, and nothing else is', async () => {
  await server.addToken('lasting', '1', 'read', NOW.epochMilliseconds + 90_500)
  await server.addToken('over', '1', 'read', NOW.epochMilliseconds)
  const exchange = async (query: string) =>
    (await fetch(`${server.url}/v25.0/oauth/access_token?client_id=1&client_secret=s&${query}`)).json() as Promise<Json>
  const grant = 'grant_type=fb_exchange_token&fb_exchange_token='
  assert.deepEqual(await exchange(`${grant}token1`), { access_token: 'token1', token_type: 'bearer' })
  const lasting = { access_token: 'lasting', token_type: 'bearer', expires_in: 90 }
  assert.deepEqual(await exchange(`${grant}lasting`), lasting)
  const refused: [query: string, code: number][] = [
    [`${grant}nobody`, 190],
    [`${grant}over`, 190],
    ['grant_type=fb_exchange_token&access_token=token1', 104],
    ['grant_type=client_credentials&fb_exchange_token=token1', 100],
    ['fb_exchange_token=token1', 100],
  ]
  for (const [query, code] of refused) assert.equal((await exchange(query)).error?.code, code, query)
})

test('debug= tells of parameters of the endpoint that were sent in vain', async () => {
  const vain = `500/insights?date_preset=today&${FIELDS}&graph_cache=0&order_by=x`
  const debugged = async (debug: string) => (await server.graph(`${vain}&debug=${debug}`)).__debug__ as unknown
  const message = 'graph_cache has no effect. Its meaning is not documented.'
  assert.deepEqual(await debugged('all'), { messages: [{ message, type: 'warning' }] })
  assert.deepEqual(await debugged('warning'), await debugged('all'))
  assert.deepEqual(await debugged('info'), { messages: [] })
  assert.equal(await debugged('constructor'), undefined)
  assert.deepEqual(await server.graph('500?debug=all&graph_cache=0'), { id: '500', __debug__: { messages: [] } })
  const { __debug__: ofList } = await server.graph('500/ads?debug=all&is_completed=1&pretty=0&graph_cache=0')
  const messages = [
    'is_completed has no effect. Readout knows no schedule.',
    'pretty has no effect. Answers stand on one line.',
  ]
  assert.deepEqual(ofList, { messages: messages.map((one) => ({ message: one, type: 'warning' })) })
})

test('global parameters that are not answered change nothing', async () => {
  const plain = await server.graph('500?fields=name,created_time')
  const ignored = 'pretty=1&format=json&metadata=1&callback=alert&date_format=U&suppress_http_code=1'
  assert.deepEqual(await server.graph(`500?fields=name,created_time&${ignored}`), plain)
})

test('debug_token tells of a token that has expired', async () => {
  await server.addToken('short', '1', 'read', NOW.epochMilliseconds)
  await server.addToken('long', '1', 'read', NOW.epochMilliseconds + 1500)
  const { data: long } = await server.graph('debug_token?input_token=long')
  assert.deepEqual([long?.is_valid, long?.expires_at], [true, NOW.epochMilliseconds / 1000 + 1])
  const { data: short } = await server.graph('debug_token?input_token=short')
  assert.deepEqual([short?.is_valid, short?.expires_at], [false, NOW.epochMilliseconds / 1000])
  const told = short?.error as Json | undefined
  assert.deepEqual([told?.code, told?.subcode], [190, 463])
  assert.match(
    String(told?.message),
    /^Error validating access token: Session has expired on Friday, 20-Nov-26 12:00:00 UTC/,
  )
})

test('debug_token tells what a token may do', async () => {
  const { data } = await server.graph('debug_token?input_token=write1')
  assert.deepEqual([data?.is_valid, data?.scopes], [true, ['ads_read', 'ads_management']])
  assert.deepEqual(data?.granular_scopes?.[0], { scope: 'ads_read', target_ids: ['1'] })
  assert.equal((await server.graph('debug_token?input_token=x')).data?.is_valid, false)
})

test('a field that is expanded twice is answered under two keys', async () => {
  const insights = 'insights.date_preset(today)'
  const {
    today,
    past,
    __proto__: own,
    id,
  } = await server.graph(
    `500?fields=${insights}.as(today){marketing_messages_read},insights.date_preset(maximum){marketing_messages_sent}.as(past),name.as(__proto__)`,
  )
  assert.deepEqual(today?.data, [ROW])
  assert.equal(past?.data?.[0]?.marketing_messages_sent, '0')
  assert.deepEqual([own, id], ['500', '500'])
  const many = await server.graph(
    `act_1?fields=${insights}.level(ad).limit(1).as(x){ad_id},campaigns.limit(1).as(y){id}`,
  )
  assert.doesNotMatch(JSON.stringify(many), /[?&]as=/)
  const { error } = await server.graph(`500?fields=${insights},insights.date_preset(maximum)`)
  assert.match(error?.message ?? '', /^\(#100\) fields has the key insights twice.*insights\.as\(another_key\)/)
})

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

test('a condition of a list needs a value', async () => {
  const { error } = await server.graph('act_1/ads?filtering=[{field:id,operator:EQUAL}]')
  assert.match(error?.message ?? '', /^\(#100\) filtering: value is missing in {"field":"id","operator":"EQUAL"}/)
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
    ['id=730&ad_id=732', '732'],
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

async function encoded(accept: string, path: string): Promise<[string | null, string]> {
  const url = new URL(`${server.url}/v25.0/${path}&access_token=token1`)
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers: { 'accept-encoding': accept } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const bytes = Buffer.concat(chunks)
        assert.equal(Number(response.headers['content-length']), bytes.length)
        assert.equal(response.headers.vary, 'Accept-Encoding')
        const encoding = response.headers['content-encoding'] ?? null
        const plain = encoding === 'br' ? brotliDecompressSync(bytes) : encoding === 'gzip' ? gunzipSync(bytes) : bytes
        resolve([encoding, plain.toString()])
      })
    })
    sent.on('error', reject).end()
  })
}

test('a long answer is compressed for those who ask, and says the same', async () => {
  const [none, plain] = await encoded('identity', 'act_1/ads?limit=100')
  assert.equal(none, null)
  assert.deepEqual(await encoded('gzip, deflate', 'act_1/ads?limit=100'), ['gzip', plain])
  assert.deepEqual(await encoded('gzip, compress, deflate, br', 'act_1/ads?limit=100'), ['br', plain])
  assert.deepEqual(await encoded('br;q=0.1, gzip', 'act_1/ads?limit=100'), ['gzip', plain])
  assert.deepEqual(await encoded('br;q=0, gzip;q=0', 'act_1/ads?limit=100'), [null, plain])
  assert.equal((await encoded('br', 'act_1?fields=id'))[0], null)
})

test('an answer that the caller has already comes as 304, without a body', async () => {
  const url = `${server.url}/v25.0/act_1/campaigns?access_token=token1`
  const etag = (await fetch(url)).headers.get('etag') ?? ''
  assert.match(etag, /^"[0-9a-f]{40}"$/)
  const again = await fetch(url, { headers: { 'if-none-match': etag } })
  assert.deepEqual([again.status, await again.text()], [304, ''])
})

test('every refusal of a running server is in its log, under the fbtrace_id of the answer', async () => {
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => lines.push(line) })
  await using logged = await TestServer.open({ log, request_limit: 8 })
  await logged.addAccount('1')
  const post = { method: 'POST' }
  const batch = 'batch=[{"relative_url":"99"},{"relative_url":"me"},{"relative_url":"x"}]&access_token=token1'
  const asked: [path: string, codes: string, init?: RequestInit][] = [
    ['v25.0/99', '100/33'],
    ['v99.0/act_1?locale=ko_KR', '2500'],
    ['v25.0/act_1?access_token=nobody', '190'],
    ['v25.0/act_1', '104', { body: 'a=b', ...post }],
    ['v25.0/act_1', '100', { body: 'x'.repeat(2_000_000), ...post }],
    ['v25.0/act_1/insights?fields=nope', '100'],
    ['v25.0/act_1/message_campaign?id=1', '200', post],
    ['ads/ads_insights/export_report?report_run_id=9', '100/33'],
    ['v25.0', '100/33 803', { body: batch, ...post }],
    ['v25.0/act_1?fields=nope', '100'],
    ['v25.0/act_1?fields=nope', '17/2446079'],
  ]
  for (const [path, codes, { body, ...init } = {}] of asked) {
    lines.length = 0
    const token =
      path.includes('access_token') || codes === '104' ? '' : `${path.includes('?') ? '&' : '?'}access_token=token1`
    const response = await fetch(`${logged.url}/${path}${token}`, { ...init, ...(body && { body }) })
    const answer = (await response.json()) as Json | ({ body: string } | null)[]
    const errors = [answer].flat().flatMap((one) => JSON.parse((one as Json).body ?? JSON.stringify(one)).error ?? [])
    const told = lines
      .map((line) => JSON.parse(line))
      .map(({ fbtrace_id, code, subcode }) => [fbtrace_id, code, subcode])
    assert.deepEqual(
      told,
      errors.map(({ fbtrace_id, code, error_subcode }) => [fbtrace_id, code, error_subcode]),
      path,
    )
    assert.equal(
      told.map(([, ...numbers]) => numbers.filter((one) => one !== undefined).join('/')).join(' '),
      codes,
      path,
    )
  }
})
