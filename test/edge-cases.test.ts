import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Admission, singleIdAd } from '../src/store/admission.ts'
import { catchUp } from '../src/store/catch-up.ts'
import { type Discrepancy, rebuild, verify } from '../src/store/verify.ts'
import { openDatabase } from './database.ts'
import { envelope, ms, NOW, TestServer } from './open.ts'

const PAGE = '900'
const AD = '500'

interface Happening {
  readonly at: number
  readonly token?: string
  readonly mid?: string
  readonly tracking_id?: string
  readonly ad?: string
}

function change(field: string, { at, token = 'ann', mid, tracking_id = 't1', ad = AD }: Happening) {
  return {
    field: `marketing_message_${field}`,
    timestamp: at,
    page_id: PAGE,
    message_id: ad,
    messenger_subscription_token: token,
    ...(mid && { mid }),
    ...(field !== 'clicks' && { marketing_message_tracking_id: tracking_id }),
  }
}

const echo = (happening: Happening) => change('echoes', happening)
const delivery = (happening: Happening) => change('deliveries', happening)
const read = (happening: Happening) => change('reads', happening)
const click = (happening: Happening) => change('clicks', happening)

async function openAccount(fields: { time_zone?: string; account_id?: string } = {}): Promise<TestServer> {
  const server = await TestServer.open()
  await server.addAccount(fields.account_id ?? '1', { time_zone: fields.time_zone ?? 'UTC', page_ids: [PAGE] })
  return server
}

const ALL =
  'fields=marketing_messages_sent,marketing_messages_delivered,marketing_messages_read,marketing_messages_link_btn_click,marketing_messages_link_btn_click_rate'

/** Sent, delivered, read, clicks and click rate of a row. */
async function counts(server: TestServer, query: string, id = AD, account_id = '1'): Promise<(string | undefined)[]> {
  const row = await server.row(id, `${ALL}&${query}`, account_id)
  const names = ['sent', 'delivered', 'read', 'link_btn_click', 'link_btn_click_rate']
  return names.map((name) => row?.[`marketing_messages_${name}`])
}

const day = (date: string) => `time_range={"since":"${date}","until":"${date}"}`

test('a click before its message is counted, and credited once the message comes', async () => {
  await using server = await openAccount()
  await server.post(envelope(PAGE, click({ at: ms('2026-11-19T23:30:00Z') })))
  assert.deepEqual(await counts(server, day('2026-11-19')), ['0', '0', '0', '1', undefined])
  await server.post(envelope(PAGE, delivery({ at: ms('2026-11-20T00:10:00Z') })))
  assert.deepEqual(await counts(server, day('2026-11-19')), ['0', '0', '0', '1', undefined])
  assert.deepEqual(await counts(server, `${day('2026-11-20')}&dated_by=delivery`), ['0', '1', '0', '1', '100'])
})

test('two taps in one second are two clicks of one clicked message', async () => {
  await using server = await openAccount()
  const at = ms('2026-11-20T09:00:00Z')
  await server.post(
    envelope(PAGE, delivery({ at }), click({ at: at + 100 }), click({ at: at + 900 }), click({ at: at + 900 })),
  )
  assert.deepEqual(await counts(server, day('2026-11-20')), ['0', '1', '0', '2', '100'])
})

test('a click in seconds finds the echo of the same second, sent in milliseconds', async () => {
  await using server = await openAccount()
  const at = ms('2026-11-20T09:00:00.900Z')
  const [first, second] = [{ tracking_id: 't1' }, { tracking_id: 't2' }]
  await server.post(envelope(PAGE, echo({ at: at - 60_000, ...first }), echo({ at, ...second })))
  await server.post(envelope(PAGE, click({ at: Math.floor(at / 1000) })))
  const node = await server.store.registry.readNode(AD)
  const [thread] = await server.store.threads.scan({ account: node?.account ?? 0, ad: node?.ads[0] ?? 0 }, '', 1)
  assert.equal(thread?.facts.messages[thread.resolution.clicks[0]?.credited ?? -1]?.tracking_id, 't2')
})

test('a country that is learned after the read moves the message to its class', async () => {
  await using server = await openAccount()
  await server.post(envelope(PAGE, read({ at: ms('2026-11-20T09:00:00Z') })))
  assert.deepEqual(await counts(server, day('2026-11-20')), ['0', '1', '1', '0', '0'])
  await server.store.write(async ({ registry }) => {
    await registry.writeCountries(new Map([[server.pseudonyms.subscriber('ann'), 'DE']]))
    await registry.resolveAll()
  })
  await catchUp(server.store, new Admission(), () => NOW.epochMilliseconds)
  assert.deepEqual(await counts(server, day('2026-11-20')), ['0', '0', '0', '0', undefined])
  assert.deepEqual(await counts(server, `${day('2026-11-20')}&region_policy=all`), ['0', '1', '1', '0', '0'])
})

test('an ad that is registered after its webhooks gets its parked facts', async () => {
  await using server = await TestServer.open()
  await server.addAccount('1', { page_ids: [PAGE] })
  await server.addAccount('2', { page_ids: [PAGE] })
  await server.post(envelope(PAGE, read({ at: ms('2026-11-20T09:00:00Z') })))
  assert.equal((await server.store.setAside.listParked())[0]?.facts, 1)
  await server.addCampaign(AD, '2')
  await catchUp(server.store, new Admission(), () => NOW.epochMilliseconds)
  assert.deepEqual(await counts(server, day('2026-11-20'), AD, '2'), ['0', '1', '1', '0', '0'])
  assert.deepEqual(await server.store.setAside.listParked(), [])
})

test('two tenants see their own, and a page of one never feeds an ad of the other', async () => {
  await using server = await TestServer.open()
  await server.addAccount('1', { page_ids: [PAGE] })
  await server.addAccount('2', { page_ids: ['901'] })
  await server.addCampaign('600', '2')
  const at = ms('2026-11-20T09:00:00Z')
  await server.post(envelope(PAGE, read({ at }), read({ at, ad: '600' })))
  assert.deepEqual(await counts(server, day('2026-11-20')), ['0', '1', '1', '0', '0'])
  assert.equal(await server.row('600', day('2026-11-20'), '2'), undefined)
  assert.equal((await server.store.setAside.listParked())[0]?.ad_id, '600')
  const ask = async (id: string) =>
    (await (await fetch(`${server.url}/v25.0/${id}/insights?access_token=token1`)).text()).replace(/"fbtrace_id".*/, '')
  assert.equal(await ask('600'), (await ask('601')).replace('601', '600'))
  assert.equal(await ask('act_2'), (await ask('act_3')).replace('act_3', 'act_2'))
})

test("a page that names another tenant's campaign or ad set is parked, and its neighbours are committed", async () => {
  await using server = await TestServer.open()
  await server.addAccount('1')
  await server.addAccount('2', { page_ids: [PAGE] })
  await server.store.write(async ({ registry }) => {
    const { account = 0 } = (await registry.readAccount('1')) ?? {}
    await registry.addAd({ ...singleIdAd('300', account), campaign_id: '100', adset_id: '200' })
  })
  const at = ms('2026-11-20T09:00:00Z')
  const strays = ['100', '200', '300'].map((ad) => read({ at, ad }))
  assert.equal((await server.post(envelope(PAGE, ...strays, read({ at })))).status, 200)
  assert.deepEqual(await counts(server, day('2026-11-20'), AD, '2'), ['0', '1', '1', '0', '0'])
  await catchUp(server.store, new Admission(), () => NOW.epochMilliseconds)
  assert.deepEqual(
    (await server.store.setAside.listParked()).map(({ ad_id }) => ad_id),
    ['100', '200', '300'],
  )
})

/** The days on which things at these times fall, by the account's time zone. */
const NIGHTS: [time_zone: string, at: string, date: string][] = [
  ['America/New_York', '2026-11-01T03:59:59Z', '2026-10-31'],
  ['America/New_York', '2026-11-01T04:00:00Z', '2026-11-01'],
  ['America/New_York', '2026-11-01T05:30:00Z', '2026-11-01'],
  ['America/New_York', '2026-11-01T06:30:00Z', '2026-11-01'],
  ['America/New_York', '2026-11-02T04:59:59Z', '2026-11-01'],
  ['America/New_York', '2026-11-02T05:00:00Z', '2026-11-02'],
  ['America/New_York', '2026-03-09T03:59:59Z', '2026-03-08'],
  ['Pacific/Kiritimati', '2026-11-19T09:59:59Z', '2026-11-19'],
  ['Pacific/Kiritimati', '2026-11-19T10:00:00Z', '2026-11-20'],
  ['Pacific/Pago_Pago', '2026-11-20T10:59:59Z', '2026-11-19'],
  ['Pacific/Pago_Pago', '2026-11-20T11:00:00Z', '2026-11-20'],
  ['Asia/Kolkata', '2026-11-19T18:29:59Z', '2026-11-19'],
  ['Asia/Kolkata', '2026-11-19T18:30:00Z', '2026-11-20'],
]

test('a day is the day of the account, through daylight-saving nights and at the ends of the world', async () => {
  await using server = await TestServer.open()
  const zones = [...new Set(NIGHTS.map(([zone]) => zone))]
  for (const [i, time_zone] of zones.entries()) await server.addAccount(`${i}`, { time_zone, page_ids: [`9${i}`] })
  for (const [i, [zone, at]] of NIGHTS.entries()) {
    const page_id = `9${zones.indexOf(zone)}`
    await server.post(envelope(page_id, { ...delivery({ at: ms(at), ad: `70${i}` }), page_id }))
  }
  for (const [i, [zone, at, date]] of NIGHTS.entries()) {
    const [, delivered] = await counts(server, day(date), `70${i}`, `${zones.indexOf(zone)}`)
    assert.equal(delivered, '1', `${zone} ${at}`)
  }
})

test('"today" is the day of the account', async () => {
  for (const [time_zone, date] of [
    ['Pacific/Kiritimati', '2026-11-21'],
    ['Pacific/Pago_Pago', '2026-11-20'],
    ['Asia/Kolkata', '2026-11-20'],
  ] as const) {
    await using server = await openAccount({ time_zone })
    await server.post(envelope(PAGE, delivery({ at: NOW.epochMilliseconds })))
    const row = await server.row(AD, 'date_preset=today', '1')
    assert.deepEqual([row?.date_start, row?.marketing_messages_delivered], [date, '1'], time_zone)
  }
})

test('verify() finds a tampered rollup, and rebuild() heals it', async () => {
  await using database = await openDatabase()
  await using server = await TestServer.open({ database: database.name })
  await server.addAccount('1', { page_ids: [PAGE] })
  const failed = {
    ...read({ at: ms('2026-11-20T09:00:00Z') }),
    field: 'marketing_message_delivery_failed',
    error_message: 'away',
  }
  await server.post(envelope(PAGE, read({ at: ms('2026-11-20T09:00:00Z') }), failed))
  const found = async () => {
    const discrepancies: Discrepancy[] = []
    await server.store.read((tables) => verify(tables, (one) => discrepancies.push(one)))
    return discrepancies.map(
      ({ node, table, amount_of, stored, recounted }) => `${node} ${table} ${amount_of} ${stored} ${recounted}`,
    )
  }
  assert.deepEqual(await found(), [])
  await database.exec('UPDATE rollup SET read_c = 5 WHERE ad <> 0')
  await database.exec('UPDATE rollup SET delivered_a = 1 WHERE ad = 0')
  await database.exec('DELETE FROM rollup_country')
  await database.exec('UPDATE rollup_hour SET hour = 10, read_by_delivery_c = 0 WHERE ad = 0')
  await database.exec('UPDATE rollup_failure SET failed = 9 WHERE ad <> 0')
  assert.deepEqual((await found()).sort(), [
    `${AD} rollup read_c 5 1`,
    `${AD} rollup_country unknown delivered 0 1`,
    `${AD} rollup_country unknown read 0 1`,
    `${AD} rollup_country unknown read_by_delivery 0 1`,
    `${AD} rollup_country unknown unpriced 0 1`,
    `${AD} rollup_failure away 9 1`,
    'act_1 rollup delivered_a 1 0',
    'act_1 rollup_country unknown delivered 0 1',
    'act_1 rollup_country unknown read 0 1',
    'act_1 rollup_country unknown read_by_delivery 0 1',
    'act_1 rollup_country unknown unpriced 0 1',
    'act_1 rollup_hour 10 delivered_c 1 0',
    'act_1 rollup_hour 10 read_c 1 0',
    'act_1 rollup_hour 10 unpriced_c 1 0',
    'act_1 rollup_hour 9 delivered_c 0 1',
    'act_1 rollup_hour 9 read_by_delivery_c 0 1',
    'act_1 rollup_hour 9 read_c 0 1',
    'act_1 rollup_hour 9 unpriced_c 0 1',
  ])
  await rebuild(server.store, new Admission(), () => NOW.epochMilliseconds)
  assert.deepEqual(await found(), [])
})

test('rows without the value that they are sorted by come last, in either direction', async () => {
  await using server = await openAccount()
  const at = ms('2026-11-19T09:00:00Z')
  // A rate of read messages is that of those delivered: 510 has a click alone, and no rate.
  const happened = [
    read({ at, ad: '501' }),
    read({ at, ad: '502' }),
    delivery({ at, ad: '502', tracking_id: 't2' }),
    click({ at, ad: '510' }),
  ]
  assert.equal((await server.post(envelope(PAGE, ...happened))).status, 200)
  const sorted = async (direction: string) => {
    const asked = `level=ad&fields=ad_id,marketing_messages_read_rate&date_preset=maximum`
    const { data } = await server.graph(`act_1/insights?${asked}&sort=marketing_messages_read_rate_${direction}`)
    return data?.map(({ ad_id }) => ad_id)
  }
  assert.deepEqual(await sorted('ascending'), ['502', '501', '510'])
  assert.deepEqual(await sorted('descending'), ['501', '502', '510'])
})

test('the summary of all rows has the delivery rate of the node, whatever the level', async () => {
  await using server = await openAccount()
  const [before, at] = [ms('2026-10-05T09:00:00Z'), ms('2026-11-19T09:00:00Z')]
  assert.equal(
    (await server.post(envelope(PAGE, echo({ at: before, ad: '502' }), read({ at, ad: '501' })))).status,
    200,
  )
  const asked =
    'fields=marketing_messages_delivery_rate&default_summary=true&time_range={since:"2026-11-01",until:"2026-11-19"}'
  for (const level of ['account', 'campaign', 'ad']) {
    const { data, summary } = await server.graph(`act_1/insights?level=${level}&${asked}`)
    assert.equal(data?.length, 1)
    assert.equal((summary as unknown as Record<string, string>).marketing_messages_delivery_rate, undefined, level)
  }
})

test('the summary of filtered rows has the delivery rate of those rows', async () => {
  await using server = await openAccount()
  const at = ms('2026-11-19T09:00:00Z')
  const happened = [read({ at, ad: '501' }), echo({ at, ad: '502' }), read({ at, ad: '502' })]
  assert.equal((await server.post(envelope(PAGE, ...happened))).status, 200)
  const filtering = '[{field:"ad.id",operator:"EQUAL",value:"501"}]'
  const asked = `fields=marketing_messages_delivery_rate&default_summary=true&date_preset=maximum&filtering=${filtering}`
  for (const level of ['account', 'ad']) {
    const { data, summary } = await server.graph(`act_1/insights?level=${level}&${asked}`)
    const rates = [data?.[0], summary as unknown as Record<string, string>]
    assert.deepEqual(
      rates.map((row) => row?.marketing_messages_delivery_rate),
      ['0', '0'],
      level,
    )
  }
})
