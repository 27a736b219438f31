import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { pino } from 'pino'
import { ADS, FIELDS, openNodes, ROW } from './nodes.ts'
import { type Json, NOW, TestServer } from './open.ts'

const server = await openNodes()
after(() => server[Symbol.asyncDispose]())

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
