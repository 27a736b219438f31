import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Fact } from '../domain/fact.ts'
import { Admission, singleIdAd } from '../store/admission.ts'
import { append } from '../store/append.ts'
import { openSqliteStore } from '../store/sqlite/store.ts'
import type { Tables } from '../store/store.ts'
import { hashToken } from '../store/tokens.ts'
import { answer, answerError, type GraphDoor } from './answer.ts'
import { Directory } from './directory.ts'
import { BODY_TOO_LARGE, GRAPH_ERRORS, GraphError, type GraphErrorKind } from './error.ts'
import { servedVersion } from './path.ts'
import type { GraphRequest } from './request.ts'

const NOW = Temporal.Instant.from('2026-03-18T12:00:00Z')

/** Reads account 1, and its ad 11; account 2 and its ad 21 are another tenant's. */
const TOKEN = 'EAA-one'

const DELIVERED: Fact = {
  kind: 'delivered',
  at: Date.parse('2026-03-17T12:00:00Z'),
  ad_id: '11',
  page_id: '101',
  subscriber: 'ann',
  tracking_id: 't1',
  mid: null,
  price_micros: 14_109n,
  country: null,
  error_message: null,
}

async function openWorld() {
  const store = openSqliteStore(':memory:')
  await store.write(async (tables) => {
    await addTenant(tables, '1', TOKEN)
    await addTenant(tables, '2', 'EAA-two')
    await appendFacts(tables, [DELIVERED, { ...DELIVERED, ad_id: '21' }])
  })
  return store
}

async function addTenant({ registry, tokens }: Tables, account_id: string, token: string): Promise<void> {
  const names = { account_id, name: `Account ${account_id}`, currency: 'USD', time_zone: 'UTC', page_ids: [] }
  const { account } = await registry.addAccount(names)
  await registry.addAd(singleIdAd(`${account_id}1`, account, 'Spring'))
  await tokens.add({ token_hash: hashToken(token), permission: 'read', created_at: 0, accounts: new Set([account]) })
}

async function appendFacts(tables: Tables, facts: readonly Fact[]): Promise<void> {
  const admission = new Admission()
  await admission.open(tables.registry, NOW.epochMilliseconds)
  await append(tables, admission, facts)
}

const store = await openWorld()
after(() => store[Symbol.asyncDispose]())

const RUN_ID = '900000000000000001'

function doorOf(known: Partial<GraphDoor> = {}): GraphDoor {
  return {
    store,
    directory: new Directory(),
    now: () => NOW,
    meta_history_limit: false,
    reporter: { order: async () => {} },
    newRunId: () => RUN_ID,
    newTraceId: () => 'A-trace',
    onFailure: (cause) => assert.fail(`no failure of ours is expected, and this is one: ${cause}`),
    ...known,
  }
}

type Asked = Partial<Omit<GraphRequest, 'path' | 'query' | 'body'>> & { readonly body?: string }

const BEARER = { authorization: `Bearer ${TOKEN}` }
const JSON_HEADERS = { ...BEARER, 'content-type': 'application/json' }

const bearing = (authorization: string): Asked => ({ headers: { authorization } })

function ask(url: string, { body, ...asked }: Asked = {}, door = doorOf()) {
  const [path = '', query = ''] = url.split('?')
  const bytes = body === undefined ? undefined : Buffer.from(body)
  const request = { method: 'GET', path, query, headers: BEARER, base_url: 'http://localhost', body: bytes, ...asked }
  return answer(request, door)
}

const FIELDS = 'fields=marketing_messages_delivered'

const ROW = '{"marketing_messages_delivered":"1","date_start":"2026-02-16","date_stop":"2026-03-17"}'
const PAGE = `{"data":[${ROW}],"paging":{"cursors":{"before":"MAZDZD","after":"MAZDZD"}}}`

test('answer() answers a request however clients write it', async () => {
  const inQuery = `access_token=${TOKEN}&${FIELDS}`
  const none: Asked = { headers: {} }
  const rows: [claim: string, url: string, asked?: Asked][] = [
    ['versioned', `/v25.0/11/insights?${FIELDS}`],
    ['unversioned', `/11/insights?${FIELDS}`],
    ['of an account', `/v25.0/act_1/insights?${FIELDS}`],
    ['trailing slash', `/v25.0/act_1/insights/?${FIELDS}`],
    ['double slashes', `//v25.0//act_1//insights?${FIELDS}`],
    ['parameters that nobody knows', `/v25.0/11/insights?${FIELDS}&locale=de_DE&order_by=x`],
    ['token in the query', `/v25.0/11/insights?${inQuery}`, none],
    ['token in quotes', `/v25.0/11/insights?access_token="${TOKEN}"&${FIELDS}`, none],
    ['token in the query, another in the header', `/v25.0/11/insights?${inQuery}`, bearing('Bearer x')],
    ['token in a header of the old kind', `/v25.0/11/insights?${FIELDS}`, bearing(`OAuth ${TOKEN}`)],
    ['a form with GET', '/v25.0/11/insights', { ...none, body: inQuery }],
    ['{} with GET', `/v25.0/11/insights?${FIELDS}`, { headers: JSON_HEADERS, body: '{}' }],
  ]
  for (const [claim, url, asked] of rows) {
    const { status, body } = await ask(url, asked)
    assert.deepEqual([status, body], [200, PAGE], claim)
  }
})

test('answer() names the version that answers', async () => {
  const versions = { '/v26.0': 'v26.0', '/v17.0': 'v17.0', '': 'v16.0' }
  for (const [path, version] of Object.entries(versions)) {
    assert.equal((await ask(`${path}/11/insights`)).headers['facebook-api-version'], version)
  }
})

const FIXED_HEADERS = {
  'content-type': 'application/json; charset=UTF-8',
  'cache-control': 'private, no-cache, no-store, must-revalidate',
  pragma: 'no-cache',
  expires: 'Sat, 01 Jan 2000 00:00:00 GMT',
  'x-fb-ads-insights-throttle': '{"app_id_util_pct":0,"acc_id_util_pct":0,"ads_api_access_tier":"standard_access"}',
}

test('answer() sends the headers that clients look for', async () => {
  const { headers } = await ask('/v25.0/act_1/insights')
  assert.deepEqual(headers, {
    ...FIXED_HEADERS,
    'facebook-api-version': 'v25.0',
  })
})

test('answer() has ids, delivered and spend when no fields are asked, and no paging without rows', async () => {
  const row = { account_id: '1', campaign_id: '11', adset_id: '11', ad_id: '11', ...JSON.parse(ROW) }
  const { data } = JSON.parse((await ask('/v25.0/11/insights')).body)
  assert.deepEqual(data, [{ ...row, marketing_messages_spend: '0.014109' }])
  assert.equal((await ask('/v25.0/11/insights?date_preset=today')).body, '{"data":[]}')
  assert.equal((await ask('/v25.0/11/insights?after=MAZDZD')).body, '{"data":[]}')
})

const REQUEST = 'OAuthException invalid_request'
const METHOD = 'GraphMethodException invalid_request'

const missing = (id: string, method = 'get') =>
  `Unsupported ${method} request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, ` +
  'or does not support this operation. Please read the Graph API documentation at ' +
  'https://developers.facebook.com/docs/graph-api'

/** Status, code and subcode, type and reason; the message; who is told so. `GET` and the token go without saying. */
type Told = readonly [told: string, message: string, ...requests: string[]]

const TOLD_WITHOUT_TOKEN: readonly Told[] = [
  [
    `400 104 ${REQUEST}`,
    'An access token is required to request this resource.',
    '/v25.0/act_1/insights',
    '/v25.0/act_1/insights?access_token=',
    '/',
  ],
  [
    `400 2500 ${REQUEST}`,
    'An active access token must be used to query information about the current user.',
    '/v25.0/me/adaccounts',
  ],
  [
    '401 190 OAuthException invalid_token',
    'Invalid OAuth access token - Cannot parse access token',
    '/v25.0/act_1/insights?access_token=x',
    '/v25.0/me?access_token=x',
  ],
]

const TOLD: readonly Told[] = [
  [`400 100 ${METHOD}`, 'Unsupported get request.', '/v25.0', '/'],
  [`400 100 ${METHOD}`, 'Unsupported post request.', 'POST /v25.0/'],
  [`400 100/33 ${METHOD}`, missing('99'), '/v25.0/99/insights', '/v25.0/99', '/v25.0/99/insights?fields=nope'],
  [`400 100/33 ${METHOD}`, missing('act_11'), '/v25.0/act_11/insights'],
  [`400 100/33 ${METHOD}`, missing('99', 'post'), 'POST /v25.0/99/insights'],
  [`400 100/33 ${METHOD}`, missing('11', 'delete'), 'DELETE /v25.0/11'],
  [
    '400 803 OAuthException not_found',
    '(#803) Some of the aliases you requested do not exist: spring',
    '/v25.0/spring/insights',
  ],
  [`400 2500 ${REQUEST}`, 'Unknown path components: /clicks', '/v25.0/11/clicks', '/v25.0/11/insights/clicks'],
  [`400 2500 ${REQUEST}`, 'Unknown path components: /v99.0/11/insights', '/v99.0/11/insights'],
  [
    `400 2500 ${REQUEST}`,
    'Syntax error "Expected end of string instead of "{"." at character 3: ads{id}',
    '/v25.0/11/insights?fields=ads{id}',
  ],
  [
    `400 100 ${REQUEST}`,
    '(#100) nope is not valid for fields param. please check ' +
      'https://developers.facebook.com/docs/marketing-api/reference/ads-insights/ for all valid values',
    '/v25.0/11/insights?fields=nope',
    'POST /v25.0/11/insights?fields=nope',
  ],
  [
    `400 100 ${REQUEST}`,
    '(#100) region_policy must be one of the following values: documented, all',
    '/v25.0/11/insights?region_policy=europe',
  ],
  [
    `400 100 ${REQUEST}`,
    '(#100) Must be a date representation in the format YYYY-MM-DD',
    '/v25.0/11/insights?time_range={since:1,until:2}',
  ],
  [
    `400 100 ${REQUEST}`,
    '(#100) export_format must be one of the following values: csv, xls',
    '/v25.0/11/insights?export_format=pdf',
    'POST /v25.0/11/insights?export_format=pdf',
  ],
  [
    `400 100 ${REQUEST}`,
    '(#100) DELETE is not answered by this version of Readout: send GET, or POST for a report',
    'DELETE /v25.0/11/insights',
  ],
  [
    `400 2642 ${REQUEST}`,
    '(#2642) Invalid cursors values',
    '/v25.0/11/insights?after=rubbish',
    '/v25.0/11/insights?after=MQZDZD',
  ],
  [
    `400 3018 ${REQUEST}`,
    '(#3018) The start date of the time range cannot be beyond 37 months from the current date',
    '/v25.0/11/insights?time_range={since:2023-02-17,until:2026-03-17}',
    'POST /v25.0/11/insights?time_range={since:2023-02-17,until:2026-03-17}',
  ],
]

test("answer() tells every error in Meta's envelope", async () => {
  for (const row of TOLD_WITHOUT_TOKEN) await assertTold(row, { headers: {} })
  for (const row of TOLD) await assertTold(row, {})
})

async function assertTold([told, message, ...requests]: Told, asked: Asked): Promise<void> {
  for (const request of requests) await assertToldTo(request, asked, told, message)
}

async function assertToldTo(request: string, asked: Asked, told: string, message: string): Promise<void> {
  const [url = '', method = 'GET'] = request.split(' ').reverse()
  const response = await ask(url, { method, ...asked }, doorOf({ meta_history_limit: true }))
  const [, code = '', subcode, type, reason] = /^\d+ (\d+)(?:\/(\d+))? (\w+) (\w+)$/.exec(told) ?? []
  const numbers = { code: Number(code), ...(subcode !== undefined && { error_subcode: Number(subcode) }) }
  assert.equal(response.body, JSON.stringify({ error: { message, type, ...numbers, fbtrace_id: 'A-trace' } }), request)
  assert.equal(response.status, Number.parseInt(told, 10), request)
  assert.deepEqual(response.headers, {
    ...FIXED_HEADERS,
    'facebook-api-version': servedVersion(url.split('?')[0] ?? ''),
    'www-authenticate': `OAuth "Facebook Platform" "${reason}" "${message.replaceAll('"', '\\"')}"`,
    'x-fb-trace-id': 'A-trace',
  })
}

test('answer() refuses a body that it cannot read', async () => {
  const { status, body } = await ask('/v25.0/11/insights', { headers: JSON_HEADERS, body: '[1' })
  assert.deepEqual([status, JSON.parse(body).error.code], [400, 100])
})

const toldOf = ({ status, code, subcode, type, reason }: GraphErrorKind) =>
  `${status} ${code}${subcode === undefined ? '' : `/${subcode}`} ${type} ${reason}`

test('GRAPH_ERRORS is all that is told', () => {
  const elsewhere = [`500 1 ${REQUEST}`, `413 100 ${REQUEST}`, `400 4 ${REQUEST}`, `400 100/2601 ${REQUEST}`]
  assert.deepEqual(
    new Set(GRAPH_ERRORS.map(toldOf)),
    new Set([...[...TOLD, ...TOLD_WITHOUT_TOKEN].map(([told]) => told), ...elsewhere]),
  )
})

test('answer() tells a failure of ours as an unknown one, and its cause to the log alone', async () => {
  const closed = await openWorld()
  await closed[Symbol.asyncDispose]()
  const causes: unknown[] = []
  const onFailure = (cause: unknown, fbtrace_id: string) => causes.push([fbtrace_id, cause instanceof Error])
  const { status, headers, body } = await ask('/v25.0/11/insights', {}, doorOf({ store: closed, onFailure }))
  const error = { message: 'An unknown error occurred', type: 'OAuthException', code: 1, fbtrace_id: 'A-trace' }
  assert.deepEqual([status, JSON.parse(body), causes], [500, { error }, [['A-trace', true]]])
  assert.equal(headers['www-authenticate'], 'OAuth "Facebook Platform" "invalid_request" "An unknown error occurred"')
})

test('answerError() tells of a body too large with its own status', () => {
  const { status, body } = answerError(new GraphError(BODY_TOO_LARGE, 'the body is too long'), doorOf())
  assert.deepEqual([status, JSON.parse(body).error.message], [413, '(#100) the body is too long'])
})

test("answer() answers another tenant's id like one that never was, byte for byte", async () => {
  const edges = ['', '/insights', '/clicks', '/insights?fields=nope', '/insights?level=x']
  for (const [foreign, unknown] of Object.entries({ '21': '99', act_2: 'act_9' })) {
    for (const edge of edges) {
      for (const method of ['GET', 'POST']) {
        const door = doorOf()
        const of = async (id: string) => JSON.stringify(await ask(`/v25.0/${id}${edge}`, { method }, door))
        const told = (await of(unknown)).replaceAll(`'${unknown}'`, `'${foreign}'`)
        assert.match(told, /"status":400/)
        assert.deepEqual([await of(foreign), await of(foreign)], [told, told], `${method} ${foreign}${edge}`)
      }
    }
  }
})

test('answer() reads what the token names, and nothing after it is revoked', async () => {
  await using own = await openWorld()
  const door = doorOf({ store: own })
  const statusOf = async (id: string, token: string) => {
    return (await ask(`/v25.0/${id}/insights?access_token=${token}`, {}, door)).status
  }
  assert.deepEqual([await statusOf('11', TOKEN), await statusOf('21', TOKEN)], [200, 400])
  assert.deepEqual([await statusOf('11', 'EAA-two'), await statusOf('21', 'EAA-two')], [400, 200])
  await own.write(({ tokens }) => tokens.revoke(hashToken(TOKEN)))
  assert.deepEqual([await statusOf('11', TOKEN), await statusOf('21', 'EAA-two')], [401, 200])
})

test('answer() sees what an administrator and the writer did since the last answer', async () => {
  await using own = await openWorld()
  const door = doorOf({ store: own })
  const read = async () => JSON.parse((await ask(`/v25.0/11/insights?${FIELDS},campaign_name`, {}, door)).body).data[0]
  const before = await read()
  await own.write(async (tables) => {
    await tables.registry.renameCampaign('11', 'Summer')
    await appendFacts(tables, [{ ...DELIVERED, tracking_id: 't2' }])
  })
  const now = await read()
  assert.deepEqual([before.campaign_name, before.marketing_messages_delivered], ['Spring', '1'])
  assert.deepEqual([now.campaign_name, now.marketing_messages_delivered], ['Summer', '2'])
})
