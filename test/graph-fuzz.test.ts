import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DATE_PRESETS } from '../src/domain/date-preset.ts'
import { METRICS } from '../src/domain/metric.ts'
import { answer, type GraphDoor } from '../src/graph/answer.ts'
import { EDGES } from '../src/graph/edge.ts'
import { OPERATORS } from '../src/graph/filtering.ts'
import { BREAKDOWNS, INSIGHTS_PARAMETERS } from '../src/graph/insights-parameters.ts'
import { CAMPAIGN_PARAMETERS } from '../src/graph/message-campaign.ts'
import { NODE_TYPES } from '../src/graph/node-fields.ts'
import { answerExport } from '../src/graph/report-export.ts'
import { EXPORT_PATH } from '../src/graph/report-run.ts'
import type { GraphRequest } from '../src/graph/request.ts'
import { singleIdAd } from '../src/store/admission.ts'
import type { Store } from '../src/store/store.ts'
import { hashToken } from '../src/store/tokens.ts'
import { openEmptyStore, runs } from './database.ts'
import { doorOf } from './tenants.ts'

/** No answer of this small account takes longer, on a machine that does other things besides. */
const ANSWER_MS_MAX = 2000

const fields = fc.constantFrom(
  ...METRICS.map(({ field }) => field),
  'ad_id',
  'campaign_name',
  'date_start',
  'spend',
  'x',
)
const dates = fc.constantFrom('2026-03-01', '2026-03-17', '0000-01-01', '9999-12-31', '2026-02-30', 'x', '')
const range = fc.record({ since: dates, until: dates })

const RUN_ID = '900000000000000001'
const ids = fc.constantFrom('act_1', '11', '10', '20', '30', 'me', RUN_ID, 'act_2', '99', 'x', 'insights', '')

const names = fc.constantFrom(
  ...Object.values(NODE_TYPES).flatMap(({ fields, nested }) => [...fields.keys(), ...nested]),
  ...EDGES.map(({ name }) => name),
  'insights',
  'objective',
  'async_status',
  'nope',
)

/** What `fields` of a node may be: names, with modifiers and braces, and those in braces again. */
const { expression } = fc.letrec<{ expression: string; field: string }>((tie) => ({
  expression: fc.array(tie('field'), { maxLength: 3, depthIdentifier: 'fields' }).map((all) => all.join(',')),
  field: fc.oneof(
    { depthSize: 'small', depthIdentifier: 'fields', withCrossShrink: true },
    names,
    fc
      .tuple(
        names,
        fc.constantFrom('', '.limit(2)', '.summary(true)', '.x(1', '.date_preset(today)'),
        tie('expression'),
      )
      .map(([name, modifier, inner]) => `${name}${modifier}{${inner}}`),
  ),
}))

/** Values that a parameter may well have, by name; any parameter may have any of the rest. */
const VALUES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  fields: fc.oneof(fc.array(fields, { maxLength: 5 }), fields),
  date_preset: fc.constantFrom(...DATE_PRESETS),
  time_range: range,
  time_ranges: fc.array(range, { maxLength: 4 }),
  time_increment: fc.oneof(fc.constantFrom('all_days', 'monthly'), fc.integer({ min: -1, max: 100 })),
  level: fc.constantFrom('account', 'campaign', 'adset', 'ad', 'page'),
  breakdowns: fc.subarray([...BREAKDOWNS, 'age', 'x']),
  filtering: fc.array(
    fc.record({
      field: fc.oneof(fields, fc.constantFrom('campaign.id', 'ad.name', 'action_type', 'ad.effective_status')),
      operator: fc.constantFrom(...OPERATORS, 'AFTER'),
      value: fc.oneof(fc.string(), fc.integer(), fc.array(fc.oneof(fc.string(), fc.integer()), { maxLength: 3 })),
    }),
    { maxLength: 3 },
  ),
  sort: fc.array(
    fc.tuple(fields, fc.constantFrom('', '_ascending', '_descending')).map((parts) => parts.join('')),
    { maxLength: 2 },
  ),
  summary: fc.oneof(fc.boolean(), fc.array(fields, { maxLength: 3 })),
  default_summary: fc.boolean(),
  limit: fc.integer({ min: -1, max: 10_000 }),
  after: fc.constantFrom('MAZDZD', 'MQZDZD', 'MTo1OjA', 'x', 'MTE6MToxMQ'),
  before: fc.constantFrom('MAZDZD', 'MjQZD', 'x'),
  region_policy: fc.constantFrom('documented', 'all', 'x'),
  dated_by: fc.constantFrom('event', 'delivery', 'x'),
  ids: fc.oneof(fc.array(ids, { maxLength: 4 }), ids),
  locale: fc.constantFrom('ko_KR', 'en', 'x'),
  debug: fc.constantFrom('all', 'info', 'warning', 'x'),
  method: fc.constantFrom('GET', 'delete', 'POST', 'x'),
  input_token: fc.constantFrom('token', 'expired', 'x'),
  access_token: fc.constantFrom('token', 'expired', 'x', ''),
  export_format: fc.constantFrom('csv', 'xls', 'pdf'),
  report_run_id: ids,
  id: fc.constantFrom('11', '12', '77', '123456789012345678901', 'x'),
  effective_status: fc.subarray(['ACTIVE', 'DELETED', 'x']),
  updated_since: fc.oneof(fc.integer(), fc.constantFrom('2026-03-01', 'x')),
  callback: fc.constantFrom('alert', '</script>'),
  appsecret_proof: fc.string(),
}

/** As clients write values: JSON, Python's quotes, bare text; or anything at all. */
const arbitraryText = (value: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { weight: 6, arbitrary: value.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))) },
    { weight: 2, arbitrary: value.map((one) => JSON.stringify(one).replaceAll('"', "'")) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  )

/** Every parameter that some part of the API reads, and some that none does. */
const NAMES = new Set([
  ...INSIGHTS_PARAMETERS.map(({ name }) => name),
  ...CAMPAIGN_PARAMETERS.map(({ name }) => name),
  ...Object.keys(VALUES),
  'format',
  'metadata',
  'pretty',
  'date_format',
])

type Pair = readonly [name: string, text: string]

const parameterOf = (name: string): fc.Arbitrary<Pair> =>
  fc.tuple(fc.constant(name), arbitraryText(VALUES[name] ?? fc.jsonValue()))

const insightsParameter = fc.constantFrom(...INSIGHTS_PARAMETERS.map(({ name }) => name)).chain(parameterOf)

const anyParameter: fc.Arbitrary<Pair> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NAMES).chain(parameterOf) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('fields'), expression) },
  { weight: 1, arbitrary: fc.tuple(fc.string(), fc.string()) },
)

/** How parameters are sent: in the query or in a body of any kind; `nonsense` is a body that says it is what it is not. */
const FORMS = ['query', 'form', 'JSON', 'multipart', 'PHP', 'nonsense'] as const

interface Asked {
  readonly path: string
  readonly method: string
  readonly parameters: readonly Pair[]
  readonly form: (typeof FORMS)[number]
  readonly hasToken: boolean
}

function arbitraryRequest(path: fc.Arbitrary<string>, parameter: fc.Arbitrary<Pair>): fc.Arbitrary<Asked> {
  return fc.record({
    path,
    method: fc.constantFrom('GET', 'GET', 'GET', 'POST', 'POST', 'DELETE', 'PATCH'),
    parameters: fc.array(parameter, { maxLength: 6 }),
    form: fc.constantFrom(...FORMS),
    hasToken: fc.integer({ min: 0, max: 9 }).map((one) => one > 0),
  })
}

const insightsPath = fc.constantFrom(
  '/v25.0/act_1/insights',
  '/11/insights',
  '//v26.0//11//insights//',
  '/v25.0/act_2/insights',
  '/v99.0/x',
)

const anyEdge = fc.constantFrom('', '', '/insights', '/message_campaign', '/x', ...EDGES.map(({ name }) => `/${name}`))

const anyPath = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom('', '/v25.0', '//v16.0/'), ids, anyEdge).map(([v, id, e]) => `${v}/${id}${e}`),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '/debug_token',
      '/oauth/access_token',
      '/v25.0/insights',
      '/ads',
      EXPORT_PATH,
      '/v25.0/%E0%A4%A',
    ),
  },
  { weight: 1, arbitrary: fc.webPath() },
)

/** An item of a batch: a call as clients write it, one that is made of the result of another, or nonsense. */
const arbitraryItem = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .record({
        call: arbitraryRequest(anyPath, anyParameter),
        name: fc.constantFrom('a', 'b', ''),
        isBody: fc.boolean(),
      })
      .map(({ call: { path, method, parameters }, name, isBody }) => ({
        method,
        relative_url: isBody ? path : `${path}?${formOf(parameters)}`,
        name,
        ...(isBody && { body: formOf(parameters) }),
      })),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      {
        method: fc.constantFrom('GET', 'POST', 'DELETE', 'x'),
        relative_url: fc.constantFrom(
          '?ids={result=a:$.data.*.id}',
          '{result=b:$.id}/ads',
          '{result=a:$..x}',
          '{result=a',
        ),
        depends_on: fc.constantFrom('a', 'b', 'x'),
        omit_response_on_success: fc.oneof(fc.boolean(), fc.string()),
        headers: fc.jsonValue(),
        body: fc.jsonValue(),
        access_token: fc.jsonValue(),
        attached_files: fc.string(),
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue() },
)

const arbitraryBatch: fc.Arbitrary<Asked> = fc
  .tuple(
    fc.array(arbitraryItem, { maxLength: 5 }),
    arbitraryRequest(fc.constantFrom('/', '/v25.0', '//'), anyParameter),
  )
  .map(([items, asked]) => ({
    ...asked,
    method: 'POST',
    parameters: [...asked.parameters.filter(([name]) => name !== 'method'), ['batch', JSON.stringify(items)] as const],
  }))

function formOf(parameters: readonly Pair[]): string {
  return parameters.map((pair) => pair.map((text) => encodeURIComponent(text.toWellFormed())).join('=')).join('&')
}

function bodyOf(form: Asked['form'], parameters: readonly Pair[]): [content_type: string, body: string] {
  if (form === 'JSON') return ['application/json', JSON.stringify(Object.fromEntries(parameters))]
  if (form === 'PHP') return ['', formOf(parameters.map(([name, text]) => [`${name}[${text.slice(0, 9)}][]`, text]))]
  if (form === 'form') return ['application/x-www-form-urlencoded', formOf(parameters)]
  if (form === 'nonsense') return ['application/json', `{${formOf(parameters)}`]
  const parts = parameters.map(([name, text]) => {
    return `--cut\r\ncontent-disposition: form-data; name="${name.replace(/["\r\n]/g, '')}"\r\n\r\n${text}\r\n`
  })
  return ['multipart/form-data; boundary=cut', `${parts.join('')}--cut--\r\n`]
}

function requestOf({ path, method, parameters, form, hasToken }: Asked): GraphRequest {
  const [content_type, body] = form === 'query' ? [] : bodyOf(form, parameters)
  return {
    method,
    path,
    query: form === 'query' ? formOf(parameters) : '',
    headers: {
      ...(hasToken && { authorization: 'Bearer token' }),
      ...(content_type && { 'content-type': content_type }),
    },
    body: body === undefined ? undefined : Buffer.from(body),
    base_url: 'http://readout',
  }
}

/** An account with a campaign of one id, one with an ad set and an ad, and a report of two rows. */
async function openFuzzed(): Promise<Store> {
  const store = await openEmptyStore()
  await store.write(async ({ registry, tokens, reports }) => {
    const { account } = await registry.addAccount({
      account_id: '1',
      name: 'One',
      currency: 'USD',
      time_zone: 'UTC',
      page_ids: [],
    })
    for (const id of ['11', '12', '13']) await registry.addAd(singleIdAd(id, account))
    const names = { campaign_name: 'Ten', adset_name: 'Twenty', ad_name: 'Thirty' }
    await registry.addAd({ account, campaign_id: '10', adset_id: '20', ad_id: '30', ...names })
    const accounts = new Set([account])
    await tokens.add({ token_hash: hashToken('token'), permission: 'write', created_at: 0, accounts })
    await tokens.add({ token_hash: hashToken('expired'), permission: 'read', created_at: 0, expires_at: 1, accounts })
    const created_at = Date.parse('2026-03-18')
    await reports.add({ run_id: RUN_ID, account, node_id: 'act_1', parameters: {}, days: undefined, created_at })
    const { run = 0 } = (await reports.read(RUN_ID)) ?? {}
    await reports.addRows(run, 0, ['{"ad_id":"11"}', '{"ad_id":"12"}'])
    await reports.end(run, 2, { ended_at: created_at })
  })
  return store
}

/** Asks until something is answered that should not be: a 5xx, anything but an envelope, or nothing for too long. */
async function fuzz(requests: fc.Arbitrary<Asked>, numRuns: number, isSound = (_told: object) => true): Promise<void> {
  await using store = await openFuzzed()
  const door: GraphDoor = doorOf(store, {
    onFailure: (cause) => {
      throw cause
    },
  })
  const assertAnswered = async (asked: Asked) => {
    const started_ms = performance.now()
    const request = requestOf(asked)
    const { status, headers, body } = await (asked.path === EXPORT_PATH ? answerExport : answer)(request, door)
    assert.ok(performance.now() - started_ms < ANSWER_MS_MAX, 'it took too long')
    if (status === 304) return
    const text = typeof body === 'string' ? body : (await Array.fromAsync(body)).join('')
    if (status === 200 && headers['content-disposition'] !== undefined) return
    const told = assertTold(status, text)
    assert.ok(status !== 200 || isSound(told), text)
  }
  await fc.assert(fc.asyncProperty(requests, assertAnswered), { numRuns: runs(numRuns) })
}

test('no request for insights gets a 5xx, hangs, or anything but a valid envelope', async () => {
  const isPageOrReport = (told: { readonly data?: unknown; readonly report_run_id?: unknown }) =>
    Array.isArray(told.data) || typeof told.report_run_id === 'string'
  await fuzz(arbitraryRequest(insightsPath, insightsParameter), 3000, isPageOrReport)
})

test('no request for anything else does', async () => {
  await fuzz(arbitraryRequest(anyPath, anyParameter), 5000)
})

test('no batch does, nor any of its items', async () => {
  await fuzz(arbitraryBatch, 1200, Array.isArray)
})

/** JSON that is an error where the status is one, and nowhere else; a batch is a list of such answers. */
function assertTold(status: number, body: string): object {
  const told: unknown = JSON.parse(body)
  assert.ok(status >= 200 && status < 500, body)
  assert.ok(typeof told === 'object' && told !== null, body)
  if (!Array.isArray(told)) assertEnvelope(status, told)
  else for (const item of told) if (item !== null && item.code !== 304) assertTold(item.code, item.body)
  return told
}

function assertEnvelope(status: number, { error }: { readonly error?: Readonly<Record<string, unknown>> }): void {
  if (status === 200) {
    assert.equal(error, undefined)
    return
  }
  const { message, type, code, error_user_title, error_user_msg, fbtrace_id } = error ?? {}
  assert.deepEqual(
    [message, type, code, fbtrace_id].map((one) => typeof one),
    ['string', 'string', 'number', 'string'],
  )
  assert.equal(typeof error_user_title, typeof error_user_msg)
}
