import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DATE_PRESETS } from '../src/domain/date-preset.ts'
import { METRICS } from '../src/domain/metric.ts'
import { answer, type GraphDoor } from '../src/graph/answer.ts'
import { Directory } from '../src/graph/directory.ts'
import { OPERATORS } from '../src/graph/filtering.ts'
import { BREAKDOWNS, INSIGHTS_PARAMETERS } from '../src/graph/insights-parameters.ts'
import { singleIdAd } from '../src/store/admission.ts'
import { openSqliteStore } from '../src/store/sqlite/store.ts'
import type { Store } from '../src/store/store.ts'
import { hashToken } from '../src/store/tokens.ts'

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
}

/** As clients write values: JSON, Python's quotes, bare text; or anything at all. */
const arbitraryText = (value: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { weight: 6, arbitrary: value.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))) },
    { weight: 2, arbitrary: value.map((one) => JSON.stringify(one).replaceAll('"', "'")) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  )

const arbitraryParameter = fc
  .constantFrom(...INSIGHTS_PARAMETERS.map(({ name }) => name))
  .chain((name) => fc.tuple(fc.constant(name), arbitraryText(VALUES[name] ?? fc.jsonValue())))

const arbitraryRequest = fc.record({
  path: fc.constantFrom(
    '/v25.0/act_1/insights',
    '/11/insights',
    '//v26.0//11//insights//',
    '/v25.0/act_2/insights',
    '/v99.0/x',
  ),
  method: fc.constantFrom('GET', 'GET', 'GET', 'POST', 'DELETE'),
  parameters: fc.array(arbitraryParameter, { maxLength: 6 }),
  form: fc.constantFrom('query', 'body', 'JSON'),
  hasToken: fc.boolean(),
})

async function openStore(): Promise<Store> {
  const store = openSqliteStore(':memory:')
  await store.write(async ({ registry, tokens }) => {
    const { account } = await registry.addAccount({
      account_id: '1',
      name: 'One',
      currency: 'USD',
      time_zone: 'UTC',
      page_ids: [],
    })
    for (const id of ['11', '12', '13']) await registry.addAd(singleIdAd(id, account))
    await tokens.add({
      token_hash: hashToken('token'),
      permission: 'read',
      created_at: 0,
      accounts: new Set([account]),
    })
  })
  return store
}

test('no request gets a 5xx, hangs, or anything but a valid envelope', async () => {
  await using store = await openStore()
  const door: GraphDoor = {
    store,
    directory: new Directory(),
    now: () => Temporal.Instant.from('2026-03-18T12:00:00Z'),
    meta_history_limit: false,
    app_secrets: [],
    require_appsecret_proof: false,
    request_limit: undefined,
    onRefusal: () => {},
    newTraceId: () => 'trace',
    reporter: { order: async () => {} },
    newRunId: () => '900000000000000000',
    onFailure: (cause) => {
      throw cause
    },
  }
  await fc.assert(
    fc.asyncProperty(arbitraryRequest, async ({ path, method, parameters, form, hasToken }) => {
      const pairs = parameters.map(([name, text]) => `${name}=${encodeURIComponent(text.toWellFormed())}`).join('&')
      const json = form === 'JSON' ? JSON.stringify(Object.fromEntries(parameters)) : pairs
      const started_ms = performance.now()
      const { status, body } = await answer(
        {
          method,
          path,
          query: form === 'query' ? pairs : '',
          headers: {
            ...(hasToken && { authorization: 'Bearer token' }),
            ...(form === 'JSON' && { 'content-type': 'application/json' }),
          },
          body: form === 'query' ? undefined : Buffer.from(json),
          base_url: 'http://readout',
        },
        door,
      )
      assert.ok(performance.now() - started_ms < ANSWER_MS_MAX, 'it took too long')
      assert.ok(status >= 200 && status < 500, body)
      assertEnvelope(status, JSON.parse(body))
    }),
    { numRuns: 3000 },
  )
})

interface Envelope {
  readonly data?: unknown
  readonly report_run_id?: unknown
  readonly error?: {
    readonly message: unknown
    readonly type: unknown
    readonly code: unknown
    readonly fbtrace_id: unknown
  }
}

function assertEnvelope(status: number, { data, report_run_id, error }: Envelope): void {
  if (status === 200) assert.ok((Array.isArray(data) || typeof report_run_id === 'string') && error === undefined)
  else
    assert.deepEqual(
      [error?.message, error?.type, error?.code, error?.fbtrace_id].map((one) => typeof one),
      ['string', 'string', 'number', 'string'],
    )
}
