import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import {
  type Asked,
  askDoor,
  BEARER,
  doorOf,
  EXPIRED_TOKEN,
  JSON_HEADERS,
  openTenants,
  TOKEN,
  WRITE_TOKEN,
} from '../../test/tenants.ts'
import { DATE_PRESETS } from '../domain/date-preset.ts'
import { answerError } from './answer.ts'
import { BODY_TOO_LARGE, GRAPH_ERRORS, GraphError, type GraphErrorKind } from './error.ts'
import { servedVersion } from './path.ts'
import { USER_TEXTS, type UserTextName } from './user-text.ts'

const store = await openTenants()
after(() => store[Symbol.asyncDispose]())

const ask = (url: string, asked: Asked = {}, door = doorOf(store)) => askDoor(door, url, asked)

const bearing = (authorization: string): Asked => ({ headers: { authorization } })

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
  const { headers, body } = await ask('/v25.0/act_1/insights')
  assert.deepEqual(headers, {
    ...FIXED_HEADERS,
    'x-business-use-case-usage': headers['x-business-use-case-usage'],
    'facebook-api-version': 'v25.0',
    etag: `"${createHash('sha1').update(body).digest('hex')}"`,
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

/** What people are told beside the message, by what programs are told. */
const PEOPLE: ReadonlyMap<string, UserTextName> = new Map([
  [`400 100 ${REQUEST}`, 'parameter'],
  [`400 100/33 ${METHOD}`, 'missing'],
  [`400 104 ${REQUEST}`, 'tokenMissing'],
  ['401 190 OAuthException invalid_token', 'tokenUnknown'],
  ['400 190/463 OAuthException invalid_token', 'tokenExpired'],
  ['403 200 OAuthException invalid_request', 'permission'],
  ['400 803 OAuthException not_found', 'missing'],
  [`400 3018 ${REQUEST}`, 'historyTooOld'],
])

/** Status, code and subcode, type and reason; the message; who is told so. `GET` and the token go without saying. */
type Told = readonly [told: string, message: string, ...requests: string[]]

const TOLD_WITHOUT_TOKEN: readonly Told[] = [
  [
    '400 190/463 OAuthException invalid_token',
    'Error validating access token: Session has expired on Wednesday, 18-Mar-26 12:00:00 UTC. ' +
      'The current time is Wednesday, 18-Mar-26 12:00:00 UTC.',
    `/v25.0/act_1/insights?access_token=${EXPIRED_TOKEN}`,
    `/v25.0/me?access_token=${EXPIRED_TOKEN}`,
    `DELETE /v25.0/11?access_token=${EXPIRED_TOKEN}`,
  ],
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
  [
    `400 100/33 ${METHOD}`,
    missing('99', 'delete'),
    `DELETE /v25.0/99?access_token=${WRITE_TOKEN}`,
    `POST /v25.0/99?method=delete&access_token=${WRITE_TOKEN}`,
  ],
  [`400 100/33 ${METHOD}`, missing('act_1', 'delete'), `DELETE /v25.0/act_1?access_token=${WRITE_TOKEN}`],
  [`400 100/33 ${METHOD}`, missing('11', 'post'), 'POST /v25.0/11', `POST /11?access_token=${WRITE_TOKEN}`],
  [
    '403 200 OAuthException invalid_request',
    '(#200) Ad account owner has NOT grant ads_management or ads_read permission',
    'DELETE /v25.0/11',
    'DELETE /v25.0/99',
    'POST /v25.0/act_1/message_campaign?id=12',
    'POST /v25.0/act_2/message_campaign?id=12',
  ],
  [
    `400 100 ${REQUEST}`,
    '(#100) id is required: this is Readout, which measures campaigns and makes none; create the campaign at Meta, and ' +
      'send the same call here with the id that Meta answered',
    `POST /v25.0/act_1/message_campaign?name=Spring&access_token=${WRITE_TOKEN}`,
  ],
  [
    `400 100 ${REQUEST}`,
    '(#100) Tried accessing nonexisting field (nope) on node type (Campaign)',
    '/v25.0/11?fields=name,nope',
    '/v25.0/act_1/campaigns?fields=nope',
    '/v25.0/act_1?fields=campaigns{nope}',
    '/v25.0/?ids=11&fields=nope',
    '/v25.0/act_1/campaigns?fields=nope&filtering=[{field:"id",operator:"IN",value:["0"]}]',
    '/v25.0/act_1?fields=campaigns.filtering([{field:"id",operator:"IN",value:["0"]}]){name,nope}',
    '/v25.0/act_1/ads?fields=adset{campaign{nope}}&effective_status=["DELETED"]',
  ],
  [
    `400 100 ${REQUEST}`,
    '(#100) Tried accessing nonexisting field (constructor) on node type (AdAccount)',
    '/v25.0/act_1?fields=constructor,__proto__',
  ],
  [`400 100/33 ${METHOD}`, missing('me'), '/v25.0/me/insights'],
  [
    `400 100 ${REQUEST}`,
    '(#100) Tried accessing nonexisting field (campaigns) on node type (User)',
    '/v25.0/me?fields=campaigns',
  ],
  [
    `400 100 ${REQUEST}`,
    "(#100) For field 'insights': region_policy must be one of the following values: documented, all",
    '/v25.0/11?fields=insights.region_policy(europe)',
  ],
  [
    `400 100 ${REQUEST}`,
    "(#100) For field 'campaigns': For field 'insights': region_policy must be one of the following values: documented, all",
    '/v25.0/act_1?fields=campaigns{insights.region_policy(x){spend}}',
  ],
  [
    `400 100 ${REQUEST}`,
    "(#100) Filtering field 'ad.objective' with operation is not supported on this edge",
    '/v25.0/act_1/ads?filtering=[{field:"ad.objective",operator:"IN",value:["X"]}]',
  ],
  [`400 100 ${REQUEST}`, '(#100) limit must be a whole number of rows, 1 or more', '/v25.0/act_1/ads?limit=0'],
  [`400 100 ${REQUEST}`, '(#100) The parameter input_token is required', '/v25.0/debug_token'],
  [
    `400 100 ${REQUEST}`,
    '(#100) Too many IDs. Maximum: 50. Provided: 51.',
    `/?ids=${Array.from({ length: 51 }, (_, i) => i)}`,
  ],
  [
    `400 100 ${REQUEST}`,
    '(#100) batch must be a list: [{"method":"GET","relative_url":"me"}]',
    'POST /v25.0?batch=nothing',
    'POST /v25.0/?batch=x',
  ],
  [
    `400 100 ${REQUEST}`,
    '(#100) Too many requests in batch message. Maximum batch size is 50',
    `POST /?batch=[${Array.from({ length: 51 }, () => '{}')}]`,
  ],
  [
    '400 803 OAuthException not_found',
    '(#803) Some of the aliases you requested do not exist: 99,x',
    '/?ids=11,99,x',
    '/insights?ids=11,99,x',
    '/v25.0/ads?ids=act_1,99,x',
  ],
  [
    '400 803 OAuthException not_found',
    '(#803) Some of the aliases you requested do not exist: insights',
    '/v25.0/insights',
    '/v25.0/insights?ids=',
    'POST /v25.0/insights?ids=11',
  ],
  [
    `400 2500 ${REQUEST}`,
    'Syntax error "Expected "}" instead of end of string." at character 16: name,campaign{id',
    '/v25.0/11?fields=name,campaign{id',
  ],
  [
    `400 2500 ${REQUEST}`,
    'Syntax error "Expected end of string instead of "."." at character 2: id.x',
    '/v25.0/11?fields=id.x',
  ],
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
    '/v25.0/insights?ids=11&fields=nope',
  ],
  [
    `400 100 ${REQUEST}`,
    '(#100) nope, wishes are not valid for fields param. please check ' +
      'https://developers.facebook.com/docs/marketing-api/reference/ads-insights/ for all valid values',
    '/v25.0/11/insights?fields=nope,spend,wishes',
  ],
  [
    `400 100 ${REQUEST}`,
    '(#100) Current combination of data breakdown columns (action_type, country, age) is invalid',
    '/v25.0/11/insights?breakdowns=country,age',
  ],
  [
    `400 100 ${REQUEST}`,
    `(#100) date_preset must be one of the following values: ${DATE_PRESETS.join(', ')}`,
    '/v25.0/11/insights?date_preset=lifetime',
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
    `400 2642 ${REQUEST}`,
    '(#2642) Invalid cursors values',
    '/v25.0/11/insights?after=rubbish',
    '/v25.0/act_1/ads?after=rubbish',
    '/v25.0/act_1/ads?before=MAZDZD',
    '/v25.0/me/adaccounts?after=MAZDZD',
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
  const response = await ask(url, { method, ...asked }, doorOf(store, { meta_history_limit: true }))
  const [, code = '', subcode, type, reason] = /^\d+ (\d+)(?:\/(\d+))? (\w+) (\w+)$/.exec(told) ?? []
  const numbers = { code: Number(code), ...(subcode !== undefined && { error_subcode: Number(subcode) }) }
  const user = PEOPLE.get(told)
  const people = user && { is_transient: false, ...USER_TEXTS.en[user] }
  const error = { message, type, ...numbers, ...people, fbtrace_id: 'A-trace' }
  assert.equal(response.body, JSON.stringify({ error }), request)
  assert.equal(response.status, Number.parseInt(told, 10), request)
  const { 'x-business-use-case-usage': _usage, ...headers } = response.headers
  assert.deepEqual(headers, {
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

test('answer() leaves out what the caller has already', async () => {
  const { headers } = await ask('/v25.0/11/insights')
  const again = await ask('/v25.0/11/insights', { headers: { ...BEARER, 'if-none-match': `"x", ${headers.etag}` } })
  assert.deepEqual([again.status, again.body, again.headers.etag], [304, '', headers.etag])
  const other = await ask('/v25.0/11', { headers: { ...BEARER, 'if-none-match': headers.etag } })
  assert.equal(other.status, 200)
})

const toldOf = ({ status, code, subcode, type, reason }: GraphErrorKind) =>
  `${status} ${code}${subcode === undefined ? '' : `/${subcode}`} ${type} ${reason}`

test('GRAPH_ERRORS is all that is told', () => {
  const elsewhere = [
    `500 1 ${REQUEST}`,
    `500 1/99 ${REQUEST}`,
    `413 100 ${REQUEST}`,
    `400 4/1504022 ${REQUEST}`,
    `400 100/2601 ${REQUEST}`,
    `400 17/2446079 ${REQUEST}`,
    `503 2/1504043 ${REQUEST}`,
  ]
  assert.deepEqual(
    new Set(GRAPH_ERRORS.map(toldOf)),
    new Set([...[...TOLD, ...TOLD_WITHOUT_TOKEN].map(([told]) => told), ...elsewhere]),
  )
})

test('answer() tells a failure of ours as an unknown one, and its cause to the log alone', async () => {
  const closed = await openTenants()
  await closed[Symbol.asyncDispose]()
  const causes: unknown[] = []
  const onFailure = (cause: unknown, fbtrace_id: string) => causes.push([fbtrace_id, cause instanceof Error])
  const { status, headers, body } = await ask('/v25.0/11/insights', {}, doorOf(closed, { onFailure }))
  const { error } = JSON.parse(body)
  assert.deepEqual([status, error.message, error.type], [500, 'An unknown error occurred', 'OAuthException'])
  assert.deepEqual([error.code, error.error_subcode, causes], [1, 99, [['A-trace', true]]])
  assert.equal(headers['www-authenticate'], 'OAuth "Facebook Platform" "invalid_request" "An unknown error occurred"')
})

test('answerError() tells of a body too large with its own status', () => {
  const { status, body } = answerError(new GraphError(BODY_TOO_LARGE, 'the body is too long'), doorOf(store), 'en')
  assert.deepEqual([status, JSON.parse(body).error.message], [413, '(#100) the body is too long'])
})

/** Every place of a request where an id can stand. */
