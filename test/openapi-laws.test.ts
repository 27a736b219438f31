import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EDGES, type Edge } from '../src/graph/edge.ts'
import { FIELDS } from '../src/graph/field.ts'
import { NODE_TYPES } from '../src/graph/node-fields.ts'
import { RUN_FIELDS } from '../src/graph/report-run.ts'
import { SAFE_HEADERS } from '../src/http.ts'
import { formatSignature } from '../src/ingest/signature.ts'
import { findFaults } from './json-schema.ts'
import { APP_SECRET, envelope, ms, TestServer } from './open.ts'
import { type ApiCall, type ApiDocument, formatValue, listCalls, readDocument, wordsOf } from './openapi.ts'

/** What the document says is asked of the server that serves it. */
let server: TestServer
let document: ApiDocument
let calls: readonly ApiCall[]
/** A report that is completed. */
let run: string

before(async () => {
  server = await TestServer.open()
  await server.addAccount('1', { page_ids: ['9'] })
  await server.addToken('writer', '1', 'write')
  const read = { field: 'marketing_message_reads', timestamp: ms('2026-11-19T09:00:00Z'), page_id: '9' }
  const whom = { messenger_subscription_token: 'ann', marketing_message_tracking_id: 't1' }
  await server.post(envelope('9', ...['11', '12'].map((message_id) => ({ ...read, ...whom, message_id }))))
  document = await readDocument(server.url)
  calls = listCalls(document)
  run = (await server.graph('act_1/insights', { method: 'POST' })).report_run_id ?? ''
})

after(() => server[Symbol.asyncDispose]())

function callNamed(name: string): ApiCall {
  return calls.find(({ operation }) => operation.operationId === name) ?? assert.fail(`no call is named ${name}`)
}

const nameOfList = (call: string, { name }: Edge) => `${call}${name.charAt(0).toUpperCase()}${name.slice(1)}`

const parentOf = ({ of }: Edge) => (of.includes('user') ? 'me' : 'act_1')

/** What a call cannot do without. */
const needed = (name: string): Readonly<Record<string, unknown>> =>
  ({
    getNodes: { ids: ['act_1', '11'] },
    getInsightsOfMany: { ids: ['act_1'] },
    ...Object.fromEntries(EDGES.map((edge) => [nameOfList('listOfMany', edge), { ids: [parentOf(edge)] }])),
    debugToken: { input_token: 'token1' },
    exchangeToken: { grant_type: 'fb_exchange_token', fb_exchange_token: 'writer' },
    downloadReport: { report_run_id: run },
  })[name] ?? {}

/** Makes a call with these parameters, in the form that the document gives them. */
async function ask({ base, path, method, parameters, operation }: ApiCall, values: Readonly<Record<string, unknown>>) {
  const all = Object.entries({ ...needed(operation.operationId), ...values })
  const query = all.map(([name, value]): [string, string] => {
    return [
      name,
      formatValue(parameters.find((one) => one.name === name) ?? assert.fail(`${path} has no ${name}`), value),
    ]
  })
  const url = `${server.url}${base}${path.replace('{id}', 'act_1')}?${new URLSearchParams(query)}`
  const response = await fetch(url, { method, headers: { authorization: 'Bearer writer' } })
  return { status: response.status, text: await response.text() }
}

test('every word that a parameter lists is accepted, and any other is refused', async () => {
  let words = 0
  for (const call of calls.filter(({ method }) => method === 'GET')) {
    for (const { name, schema } of call.parameters) {
      const listed = wordsOf(document, schema)
      for (const word of listed) {
        const { status, text } = await ask(call, { [name]: word })
        assert.equal(status, 200, `${name}=${word}: ${text}`)
      }
      words += listed.length
      if (listed.length === 0) continue
      const { status, text } = await ask(call, { [name]: 'nonsense' })
      assert.deepEqual([status, JSON.parse(text).error.code], [400, 100], name)
    }
  }
  assert.ok(words > FIELDS.size)
})

test('the bounds of a number are accepted, and what is below them is refused', async () => {
  const call = callNamed('getInsights')
  for (const { name, schema } of call.parameters.filter((one) => ['limit', 'time_increment'].includes(one.name))) {
    const { minimum = Number.NaN, maximum } = schema?.anyOf?.find(({ type }) => type === 'integer') ?? schema ?? {}
    const asked = [minimum, maximum, minimum - 1].map(async (value) => (await ask(call, { [name]: value })).status)
    assert.deepEqual(await Promise.all(asked), [200, 200, 400], name)
  }
})

test('the default of a parameter is what its absence means', async () => {
  const call = callNamed('getInsights')
  const absent = (await ask(call, {})).text
  const withDefault = call.parameters.flatMap(({ name, schema }) => (schema?.default ? [[name, schema.default]] : []))
  assert.ok(withDefault.length >= 5)
  const dataOf = (text: string) => JSON.parse(text).data
  for (const [name, value] of withDefault) {
    assert.deepEqual(dataOf((await ask(call, { [String(name)]: value })).text), dataOf(absent), String(name))
  }
})

test('every operator that filtering lists fits some field, and any other is refused', async () => {
  const filters = [
    { field: 'campaign.id', value: '11' },
    { field: 'marketing_messages_read', value: 1 },
    { field: 'marketing_messages_read', value: [1, 2] },
  ]
  for (const name of ['getInsights', 'getInsightsOfMany', 'listCampaigns', 'listAdsets', 'listAds']) {
    const call = callNamed(name)
    const filtering = call.parameters.find((one) => one.name === 'filtering')?.content?.['application/json']?.schema
    const statusesOf = (operator: unknown) =>
      Promise.all(filters.map(async (one) => (await ask(call, { filtering: [{ ...one, operator }] })).status))
    const operators = filtering?.items?.properties?.operator?.enum ?? []
    assert.ok(operators.length > 10)
    for (const operator of operators) assert.ok((await statusesOf(operator)).includes(200), `${name} ${operator}`)
    assert.ok(!(await statusesOf('NONSENSE')).includes(200))
  }
})

test('every path is known to the server', async () => {
  for (const call of calls) {
    const { status, text } = await ask(call, {})
    assert.ok(status < 500 && !text.includes('Unknown path components'), `${call.method} ${call.path}: ${text}`)
  }
})

const INSIGHTS = `fields=${[...FIELDS].join(',')}&date_preset=maximum&limit=1&default_summary=1`

function fieldsOf(level: keyof typeof NODE_TYPES): string {
  return [...NODE_TYPES[level].fields.keys()].join(',')
}

const SAID = { name: 'Spring', page_id: '9', daily_budget: '500', start_time: '1', promoted_object: { pixel_id: '1' } }
const RANGE = { since: '2026-11-01', until: '2026-11-19' }

type AskedOf = readonly [url: string, body?: unknown, schema?: string]

/** Requests to every call: what stands behind its base, the body, and which of several schemas is to be met. */
const requests = (): Readonly<Record<string, readonly AskedOf[]>> => ({
  getNodes: [['/?ids=act_1,11&fields=name']],
  callBatch: [['/', { batch: [{ method: 'GET', relative_url: 'me' }, { relative_url: 'act_1/nope' }] }]],
  debugToken: [['/debug_token?input_token=token1'], ['/debug_token?input_token=x']],
  exchangeToken: [['/oauth/access_token?grant_type=fb_exchange_token&fb_exchange_token=writer']],
  getMe: [[`/me?fields=${fieldsOf('user')},adaccounts`]],
  getInsights: [
    [`/act_1/insights?${INSIGHTS}&level=ad&breakdowns=country`],
    [`/11/insights?${INSIGHTS}`],
    [`/${run}/insights`],
    ['/act_1/insights?export_format=csv'],
  ],
  startReport: [['/act_1/insights'], ['/act_1/insights', { level: 'ad', fields: ['ad_id'], time_range: RANGE }]],
  registerCampaign: [['/act_1/message_campaign', { id: '77', ...SAID }]],
  getNode: [
    [
      `/act_1?fields=${fieldsOf('account')},ads.limit(1).summary(true){name,insights.date_preset(maximum)},campaigns`,
      undefined,
      'AdAccount',
    ],
    [`/77?fields=${fieldsOf('campaign')},${fieldsOf('ad')},adset{name},campaign{name}`, undefined, 'Campaign'],
    [`/12?fields=${fieldsOf('adset')},ads{${fieldsOf('ad')}},campaign`, undefined, 'Campaign'],
    [`/${run}?fields=${Object.keys(RUN_FIELDS).join(',')}`, undefined, 'AdReportRun'],
  ],
  deleteCampaign: [['/77']],
  downloadReport: [[`/ads/ads_insights/export_report?report_run_id=${run}&format=xls`]],
  confirmWebhook: [['/webhooks/messenger?hub.mode=subscribe&hub.verify_token=a verify token&hub.challenge=1']],
  takeWebhook: [['/webhooks/messenger', { object: 'page', entry: [] }]],
  isAlive: [['/healthz']],
  isReady: [['/readyz']],
  getMetrics: [['/metrics']],
  describeApi: [['/openapi.json']],
  getInsightsOfMany: [[`/insights?ids=act_1,11&${INSIGHTS}`], ['/insights?ids=act_1,11&export_format=csv']],
  ...Object.fromEntries(
    EDGES.flatMap((edge) => [
      [nameOfList('list', edge), [[`/${parentOf(edge)}/${edge.name}?limit=1&summary=true`]]],
      [nameOfList('listOfMany', edge), [[`/${edge.name}?ids=${parentOf(edge)}&limit=1&summary=true`]]],
    ]),
  ),
})

test('every call answers what it is described to answer', async () => {
  const asked = requests()
  assert.deepEqual(Object.keys(asked).sort(), calls.map(({ operation }) => operation.operationId).sort())
  for (const [name, ofCall] of Object.entries(asked)) {
    const { method, base, responses } = callNamed(name)
    for (const [url, body, named] of ofCall) {
      const response = await send(method, base + url, body)
      const text = await response.text()
      assert.equal(response.status, 200, `${name}: ${text}`)
      const told = headersOf(response, /^(?:x-|facebook|etag)/)
      const isFile = name === 'downloadReport'
      if (base !== '' && !isFile) for (const one of told) assert.ok(responses[200]?.headers?.[one], `${name}: ${one}`)
      const media = response.headers.get('content-type')?.toLowerCase() ?? ''
      const found = Object.entries(responses[200]?.content ?? {}).find(([type]) => media.startsWith(type.toLowerCase()))
      const [, { schema }] = found ?? assert.fail(`${name} answers ${media}, and is not described to`)
      const met = named === undefined ? schema : { $ref: `#/components/schemas/${named}`, ...schema }
      assert.deepEqual(findFaults(document, met, media.includes('json') ? JSON.parse(text) : text), [], name)
    }
  }
})

/** The headers that say something of this answer; those of every answer are for browsers. */
function headersOf({ headers }: Response, wanted: RegExp): string[] {
  return [...headers.keys()].filter((header) => wanted.test(header) && !Object.hasOwn(SAFE_HEADERS, header))
}

function send(method: string, url: string, body: unknown): Promise<Response> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const headers = {
    authorization: 'Bearer writer',
    'content-type': 'application/json',
    'x-hub-signature-256': formatSignature(Buffer.from(text ?? ''), APP_SECRET),
  }
  return fetch(server.url + url, { method, headers, ...(text && { body: text }) })
}

test('every call that needs a token answers a described error without one', async () => {
  const secured = calls.filter(({ operation }) => operation.security === undefined)
  assert.ok(secured.length > 15)
  for (const { base, path, method, responses } of secured) {
    const response = await fetch(`${server.url}${base}${path.replace('{id}', '11')}`, { method })
    const { schema } = responses[response.status]?.content?.['application/json'] ?? assert.fail(`${path}`)
    assert.ok(response.status >= 400)
    const told = headersOf(response, /^(?:x-|facebook|www-)/)
    for (const one of told) assert.ok(responses[response.status]?.headers?.[one], `${path}: ${one}`)
    assert.deepEqual(findFaults(document, schema, await response.json()), [], path)
  }
})
