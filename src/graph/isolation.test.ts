import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../test/database.ts'
import {
  type Asked,
  appendFacts,
  askDoor,
  DELIVERED,
  doorOf,
  NOW,
  openTenants,
  TOKEN,
  WRITE_TOKEN,
} from '../../test/tenants.ts'
import { singleIdAd } from '../store/admission.ts'
import type { Store } from '../store/store.ts'
import { hashToken } from '../store/tokens.ts'
import { answer } from './answer.ts'
import { formatIdCursor } from './cursor.ts'
import { answerExport } from './report-export.ts'
import { ROUTES } from './route.ts'

const store = await openTenants()
after(() => store[Symbol.asyncDispose]())

const ask = (url: string, asked: Asked = {}, door = doorOf(store)) => askDoor(door, url, asked)

const FIELDS = 'fields=marketing_messages_delivered'

const PLACES: readonly ((id: string) => string)[] = [
  ...ROUTES.filter(({ path }) => path.includes('{id}')).flatMap(({ method, path }) =>
    ['insights', 'ads', 'adaccounts', 'clicks'].map((edge) => (id: string) => {
      return `${method} /v25.0${path.replace('{id}', id).replace('{edge}', edge)}`
    }),
  ),
  (id) => `POST /v25.0/${id}`,
  (id) => `GET /v25.0/?ids=${id}`,
  (id) => `GET /v25.0/?ids=11,${id}`,
  (id) => `GET /v25.0/${id}?fields=nope`,
  (id) => `GET /v25.0/${id}/insights?fields=nope`,
  (id) => `GET /v25.0/${id}/insights?level=x`,
  (id) => `GET /v25.0/act_1/ads?filtering=[{field:"campaign.id",operator:"IN",value:["${id}"]}]`,
  (id) => `POST /v25.0/?batch=[{"method":"GET","relative_url":"${id}"},{"method":"DELETE","relative_url":"${id}"}]`,
]

test("answer() answers another tenant's id like one that never was, byte for byte, wherever it stands", async () => {
  for (const [foreign, unknown] of Object.entries({ '21': '99', act_2: 'act_9' })) {
    for (const token of [TOKEN, WRITE_TOKEN]) {
      for (const place of PLACES) {
        const door = doorOf(store)
        const of = async (id: string) => {
          const [method = '', url = ''] = place(id).split(' ')
          return JSON.stringify(await ask(url, { method, headers: { authorization: `Bearer ${token}` } }, door))
        }
        const told = (await of(unknown)).replaceAll(unknown, foreign)
        assert.deepEqual([await of(foreign), await of(foreign)], [told, told], place(foreign))
      }
    }
  }
})

/** Ids of another tenant: an ad account, a campaign of one id, a campaign, its ad set and its ad, and a report. */
const FOREIGN = ['act_2', '2409', '2406', '2407', '2408', '900000000000000002']

/** The same ids, of nobody. In their order they stand where the others do, so that cursors lead to the same places. */
const unknownOf = (id: string) => id.replace(/2/, '5')

/** Stands in every name of the other tenant, and in the rows of its report. */
const SECRET = 'Secret'

/** Two tenants, of whom the second has a node of every kind and a report. */
async function openWorld(): Promise<Store> {
  const store = await openTenants()
  await store.write(async (tables) => {
    const { registry, reports } = tables
    const { account = 0 } = (await registry.readAccount('2')) ?? {}
    await registry.addAd(singleIdAd('2409', account, SECRET))
    const names = { campaign_name: `${SECRET} campaign`, adset_name: `${SECRET} set`, ad_name: `${SECRET} ad` }
    await registry.addAd({ account, campaign_id: '2406', adset_id: '2407', ad_id: '2408', ...names })
    await appendFacts(tables, [{ ...DELIVERED, ad_id: '2408' }])
    const order = { account, node_id: 'act_2', parameters: {}, days: undefined, created_at: NOW.epochMilliseconds }
    await reports.add({ ...order, run_id: '900000000000000002' })
    const { run = 0 } = (await reports.read('900000000000000002')) ?? {}
    await reports.addRows(run, 0, [JSON.stringify({ campaign_name: SECRET })])
    await reports.end(run, 1, { ended_at: NOW.epochMilliseconds })
  })
  return store
}

/** A request with `@` in the place of the id. */
interface Probe {
  readonly method: string
  readonly url: string
}

const encoded = (text: string) => encodeURIComponent(text).replaceAll('%40', '@')

const parameters = fc
  .subarray([
    'fields=id,name,account_id,campaign{name},adset{name,campaign{id,name}},insights{campaign_name,spend}',
    'fields=campaign_name,ad_id,marketing_messages_delivered',
    'fields=nope',
    `filtering=${encoded('[{"field":"campaign.id","operator":"IN","value":["@","11"]}]')}`,
    `filtering=${encoded('[{"field":"ad.id","operator":"EQUAL","value":"@"}]')}`,
    `filtering=${encoded('[{"field":"id","operator":"NOT_IN","value":["@"]}]')}`,
    'effective_status=["DELETED","ACTIVE"]',
    'after=<@>',
    'before=<@>',
    'limit=1',
    'level=ad',
    'summary=true',
    'date_preset=maximum',
    'method=DELETE',
    'method=GET',
    'locale=ko_KR',
    'debug=all',
    'export_format=csv',
    'ids=@',
    'ids=11,@,act_1',
    'input_token=@',
    'report_run_id=@',
    'name=@',
    'promoted_object={pixel_id:@}',
  ])
  .map((pairs) => pairs.join('&'))

const expanded = fc.constantFrom(
  'fields=ads.filtering([{field:"campaign.id",operator:"IN",value:["@"]}]){name}',
  'fields=campaigns.after(<@>).summary(true){id,insights.level(ad){ad_name}}',
  'fields=insights.filtering([{field:"ad.id",operator:"IN",value:["@"]}]){ad_name,spend}',
)

const edge = fc.constantFrom(
  ...['', '/insights', '/ads', '/adsets', '/campaigns', '/adaccounts', '/adcreatives', '/clicks', '/message_campaign'],
)

const path = fc.oneof(
  fc.tuple(fc.constantFrom('/@', '/@', '/@', '/act_1', '/11', '/me'), edge).map((parts) => parts.join('')),
  fc.constantFrom('', '/insights', '/ads', '/campaigns', '/debug_token', '/ads/ads_insights/export_report'),
)

const arbitraryProbe: fc.Arbitrary<Probe> = fc
  .tuple(fc.constantFrom('GET', 'GET', 'POST', 'DELETE'), path, fc.oneof(parameters, expanded))
  .map(([method, at, query]) => ({ method, url: `/v25.0${at}?${query}`.replace('/v25.0/ads/ads_', '/ads/ads_') }))

const arbitraryBatch: fc.Arbitrary<Probe> = fc.array(arbitraryProbe, { minLength: 1, maxLength: 3 }).map((probes) => {
  const items = probes.map(({ method, url }, i) => ({ method, relative_url: url, name: `n${i}` }))
  const dependent = { method: 'GET', relative_url: '?ids={result=n0:$.id}', omit_response_on_success: false }
  return { method: 'POST', url: `/v25.0?batch=${encoded(JSON.stringify([...items, dependent]))}` }
})

/** What a probe with an id in it is answered, with the id taken out again. */
async function answerTo({ method, url }: Probe, id: string, token: string, store: Store): Promise<string> {
  const cursor = encodeURIComponent(formatIdCursor(id.replace('act_', '')))
  const asked = url.replace(/<@>|%3C@%3E/g, cursor).replaceAll('@', id)
  const door = doorOf(store)
  const headers = { authorization: `Bearer ${token}` }
  const [path = '', query = ''] = asked.split(/[?](.*)/s)
  const request = { method, path, query, headers, base_url: 'http://localhost', body: undefined }
  const told = path.startsWith('/ads/ads_') ? await answerExport(request, door) : await answer(request, door)
  const { etag: _etag, ...rest } = told.headers
  const whole = typeof told.body === 'string' ? told.body : (await Array.fromAsync(told.body)).join('')
  // The items of a batch have an ETag each, in the body of the answer.
  const body = whole.replace(/[0-9a-f]{40}/g, '<etag>')
  return JSON.stringify([told.status, rest, body]).replaceAll(cursor, '<@>').replaceAll(id, '@')
}

test("no request tells another tenant's id from one that never was, or shows what is theirs", async () => {
  // The same happens in two stores, to an id of another tenant here, and to one of nobody there.
  await using here = await openWorld()
  await using there = await openWorld()
  await fc.assert(
    fc.asyncProperty(
      fc.oneof({ weight: 3, arbitrary: arbitraryProbe }, arbitraryBatch),
      fc.constantFrom(...FOREIGN),
      fc.constantFrom(TOKEN, WRITE_TOKEN),
      async (probe, id, token) => {
        const told = await answerTo(probe, id, token, here)
        assert.equal(told, await answerTo(probe, unknownOf(id), token, there))
        assert.ok(!told.includes(SECRET), told)
      },
    ),
    { numRuns: runs(2000) },
  )
})

test('answer() reads what the token names, and nothing after it is revoked', async () => {
  await using own = await openTenants()
  const door = doorOf(own)
  const statusOf = async (id: string, token: string) => {
    return (await ask(`/v25.0/${id}/insights?access_token=${token}`, {}, door)).status
  }
  assert.deepEqual([await statusOf('11', TOKEN), await statusOf('21', TOKEN)], [200, 400])
  assert.deepEqual([await statusOf('11', 'EAA-two'), await statusOf('21', 'EAA-two')], [400, 200])
  await own.write(({ tokens }) => tokens.revoke(hashToken(TOKEN)))
  assert.deepEqual([await statusOf('11', TOKEN), await statusOf('21', 'EAA-two')], [401, 200])
})

test('answer() sees what an administrator and the writer did since the last answer', async () => {
  await using own = await openTenants()
  const door = doorOf(own)
  const read = async () => JSON.parse((await ask(`/v25.0/11/insights?${FIELDS},campaign_name`, {}, door)).body).data[0]
  const before = await read()
  await own.write(async (tables) => {
    await tables.registry.rename('campaign', '11', 'Summer')
    await appendFacts(tables, [{ ...DELIVERED, tracking_id: 't2' }])
  })
  const now = await read()
  assert.deepEqual([before.campaign_name, before.marketing_messages_delivered], ['Spring', '1'])
  assert.deepEqual([now.campaign_name, now.marketing_messages_delivered], ['Summer', '2'])
})
