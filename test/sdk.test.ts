import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { singleIdAd } from '../src/store/admission.ts'
import { envelope, ms, NOW, TestServer } from './open.ts'

/** What these tests use of Meta's SDK, which brings no types. */
interface Sdk {
  readonly FacebookAdsApi: { init(token: string): unknown }
  readonly FacebookAdsApiBatch: new (api: unknown) => SdkBatch
  readonly AdAccount: NodeClass & { getByIds(ids: readonly string[], fields: readonly string[]): Promise<SdkNode[]> }
  readonly AdReportRun: NodeClass
  readonly Campaign: NodeClass
  readonly AdSet: NodeClass
  readonly Ad: NodeClass
}

interface SdkNode {
  readonly id: unknown
  readonly _data: Record<string, unknown>
  get(fields: readonly string[]): Promise<SdkNode>
  getAds(fields: readonly string[], params?: Record<string, unknown>): Promise<SdkCursor>
  getInsights(fields: readonly string[], params?: Record<string, unknown>): Promise<SdkCursor>
  getInsightsAsync(fields: readonly string[], params?: Record<string, unknown>): Promise<SdkNode>
}

type NodeClass = new (id: string, known?: Record<string, unknown>) => SdkNode

type SdkCallback = (response: { readonly body: unknown }) => void

interface SdkBatch {
  add(
    method: string,
    path: readonly string[],
    params: Record<string, unknown>,
    files: undefined,
    onSuccess: SdkCallback,
    onFailure: SdkCallback,
  ): unknown
  execute(): Promise<unknown>
}

interface SdkCursor extends Array<{ readonly _data: Record<string, string> }> {
  readonly summary: Record<string, string> | undefined
  hasNext(): boolean
  hasPrevious(): boolean
  next(): Promise<SdkCursor>
  previous(): Promise<SdkCursor>
}

/** Meta's own SDK, untouched but for its base URL. */
const sdk = createRequire(import.meta.url)('facebook-nodejs-business-sdk') as Sdk

const FIELDS = ['ad_id', 'marketing_messages_delivered', 'marketing_messages_read']
const ADS = Array.from({ length: 30 }, (_, i) => `${5000 + i}`)

let server: TestServer

before(async () => {
  server = await TestServer.open()
  await server.addAccount('1', { page_ids: ['9'] })
  await server.addAccount('2', { page_ids: ['8'] })
  const at = ms('2026-11-19T09:00:00Z')
  const read = { field: 'marketing_message_reads', timestamp: at, marketing_message_tracking_id: 't1' }
  const reads = ADS.map((message_id) => ({ ...read, page_id: '9', message_id, messenger_subscription_token: 'ann' }))
  const posted = await server.post(envelope('9', ...reads))
  assert.equal(posted.status, 200)
  Object.defineProperty(sdk.FacebookAdsApi, 'GRAPH', { get: () => server.url })
  sdk.FacebookAdsApi.init('token1')
})

after(() => server[Symbol.asyncDispose]())

test('the SDK reads insights of all four objects', async () => {
  const [ad = ''] = ADS
  const params = { date_preset: 'last_7d' }
  for (const object of [new sdk.AdAccount('act_1'), new sdk.Campaign(ad), new sdk.AdSet(ad), new sdk.Ad(ad)]) {
    const [row, ...others] = await object.getInsights(FIELDS, params)
    assert.equal(others.length, 0)
    assert.equal(row?._data.date_start, '2026-11-13')
  }
  const [row] = await new sdk.AdAccount('act_1').getInsights(FIELDS, params)
  assert.equal(row?._data.marketing_messages_read, '30')
})

test('the SDK pages forwards and backwards, and reads a summary', async () => {
  const params = {
    level: 'ad',
    limit: 7,
    time_range: { since: '2026-11-01', until: '2026-11-20' },
    default_summary: true,
  }
  let page = await new sdk.AdAccount('act_1').getInsights(FIELDS, params)
  assert.equal(page.summary?.marketing_messages_delivered, '30')
  const there = idsOf(page)
  while (page.hasNext()) {
    page = await page.next()
    there.push(...idsOf(page))
  }
  assert.deepEqual(there, ADS)
  const back = idsOf(page)
  while (page.hasPrevious()) {
    page = await page.previous()
    back.unshift(...idsOf(page))
  }
  assert.deepEqual(back, ADS)
})

function idsOf(page: SdkCursor): string[] {
  return page.map((row) => row._data.ad_id ?? '')
}

test('the SDK filters, sorts and cuts', async () => {
  const rows = await new sdk.AdAccount('act_1').getInsights(FIELDS, {
    level: 'ad',
    time_increment: 1,
    date_preset: 'last_7d',
    filtering: [{ field: 'ad.id', operator: 'IN', value: ['5003', '5001'] }],
    sort: ['ad_id_descending'],
    breakdowns: ['country'],
  })
  assert.deepEqual(
    rows.map(({ _data }) => `${_data.ad_id} ${_data.date_start} ${_data.country}`),
    ['5003 2026-11-19 unknown', '5001 2026-11-19 unknown'],
  )
})

interface SdkError {
  readonly status: number
  readonly message: string
  readonly response: { readonly code: number; readonly error_subcode?: number; readonly fbtrace_id: string }
}

test('the SDK shows our errors as it shows those of Meta', async () => {
  const account = new sdk.AdAccount('act_1')
  const mistakes: [call: () => Promise<unknown>, status: number, code: number, message: RegExp][] = [
    [() => account.getInsights(['wishes']), 400, 100, /wishes is not valid for fields param/],
    [() => account.getInsights(FIELDS, { date_preset: 'lifetime' }), 400, 100, /date_preset must be one of/],
    [() => new sdk.AdAccount('act_2').getInsights(FIELDS), 400, 100, /Object with ID 'act_2' does not exist/],
    [() => new sdk.Campaign('77').getInsights(FIELDS), 400, 100, /Object with ID '77' does not exist/],
  ]
  for (const [call, status, code, message] of mistakes) {
    await assert.rejects(call, (error: SdkError) => {
      assert.deepEqual([error.status, error.response.code], [status, code])
      assert.match(error.message, message)
      return error.response.fbtrace_id !== ''
    })
  }
  sdk.FacebookAdsApi.init('nobody')
  await assert.rejects(
    new sdk.AdAccount('act_1').getInsights(FIELDS),
    (error: SdkError) => error.status === 401 && error.response.code === 190,
  )
  sdk.FacebookAdsApi.init('token1')
})

test('the SDK is told that its token has expired, from the moment that it has', async () => {
  await server.addToken('short', '1', 'read', NOW.epochMilliseconds + 60_000)
  sdk.FacebookAdsApi.init('short')
  const account = new sdk.AdAccount('act_1')
  await account.getInsights(FIELDS)
  server.now = NOW.add({ seconds: 60 })
  await assert.rejects(account.getInsights(FIELDS), ({ status, message, response }: SdkError) => {
    assert.deepEqual([status, response.code, response.error_subcode], [400, 190, 463])
    assert.equal(
      message,
      'Error validating access token: Session has expired on Friday, 20-Nov-26 12:01:00 UTC. ' +
        'The current time is Friday, 20-Nov-26 12:01:00 UTC.',
    )
    return response.fbtrace_id !== ''
  })
  server.now = NOW
  sdk.FacebookAdsApi.init('token1')
})

test('the SDK makes a report, from POST to its last page', async () => {
  const params = { level: 'ad', date_preset: 'last_7d', time_increment: 1 }
  const job = await new sdk.AdAccount('act_1').getInsightsAsync(FIELDS, params)
  const run_id = String(job.id)
  const run = await new sdk.AdReportRun(run_id, { report_run_id: run_id }).get([
    'async_status',
    'async_percent_completion',
  ])
  assert.deepEqual([run._data.async_status, run._data.async_percent_completion], ['Job Completed', 100])
  const there: string[] = []
  for (
    let page = await new sdk.AdReportRun(run_id, { report_run_id: run_id }).getInsights([], { limit: 11 });
    ;
    page = await page.next()
  ) {
    there.push(...idsOf(page))
    if (!page.hasNext()) break
  }
  assert.deepEqual(there, ADS)
})

test('the SDK reads edges page by page, and each of a thousand ads once', async () => {
  await server.store.write(async ({ registry }) => {
    const { account = 0 } = (await registry.readAccount('2')) ?? {}
    for (let i = 0; i < 1000; i++) await registry.addAd(singleIdAd(`${70_000 + i}`, account), 0)
  })
  sdk.FacebookAdsApi.init('token2')
  const seen: string[] = []
  for (let page = await new sdk.AdAccount('act_2').getAds(['id', 'name'], { limit: 90 }); ; page = await page.next()) {
    seen.push(...page.map(({ _data }) => String(_data.id)))
    if (!page.hasNext()) break
  }
  sdk.FacebookAdsApi.init('token1')
  assert.equal(seen.length, 1000)
  assert.equal(new Set(seen).size, 1000)
})

// The SDK takes each node that comes back for the id of a new object.
test('the SDK reads many nodes at once, by their ids and in a batch', async () => {
  const many = await sdk.AdAccount.getByIds(['act_1'], ['name'])
  assert.deepEqual(
    many.map(({ id }) => id),
    [{ name: '1', id: 'act_1' }],
  )
  const api = sdk.FacebookAdsApi.init('token1')
  const batch = new sdk.FacebookAdsApiBatch(api)
  const bodies: unknown[] = []
  const keep = (response: { body: unknown }) => bodies.push(response.body)
  batch.add('GET', ['act_1'], { fields: 'name' }, undefined, keep, keep)
  batch.add('GET', ['act_1', 'insights'], { fields: FIELDS.join(','), date_preset: 'last_7d' }, undefined, keep, keep)
  batch.add('GET', ['77'], {}, undefined, keep, keep)
  await batch.execute()
  const [account, insights, missing] = bodies as [{ name: string }, { data: unknown[] }, { error: { code: number } }]
  assert.equal(account.name, '1')
  assert.equal(insights.data.length, 1)
  assert.equal(missing.error.code, 100)
})
