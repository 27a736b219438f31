import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WEBHOOK_BODY_BYTES_MAX } from '../src/ingest/door.ts'
import { formatSignature } from '../src/ingest/signature.ts'
import { APP_SECRET, envelope, ms, TestServer } from './open.ts'

const PAGE = 1234567890
const CAMPAIGN = '120210000000000123'
const TOKEN = 'A1B2C3D4E5F6G7H8I9J0'
const TRACKING_ID = '6d1d1d1d-2e2e-4f4f-8a8a-9b9b9b9b9b9b'

/** The payloads of contract 13.5, keys and types as documented, with real times. */
const PAYLOADS = [
  {
    field: 'marketing_message_echoes',
    recipient_id: 5678901234,
    page_id: PAGE,
    app_id: 246813579,
    timestamp: ms('2026-11-20T09:00:00.250Z'),
    mid: 'm_first',
    marketing_message_tracking_id: TRACKING_ID,
    messenger_subscription_token: TOKEN,
    message_id: CAMPAIGN,
  },
  {
    field: 'marketing_message_deliveries',
    recipient_id: 0,
    page_id: PAGE,
    app_id: 246813579,
    timestamp: ms('2026-11-20T09:00:02Z'),
    mid: 'm_first',
    marketing_message_tracking_id: TRACKING_ID,
    messenger_subscription_token: TOKEN,
    message_id: CAMPAIGN,
  },
  {
    field: 'marketing_message_reads',
    recipient_id: null,
    page_id: PAGE,
    app_id: 246813579,
    timestamp: ms('2026-11-20T09:05:00Z'),
    marketing_message_tracking_id: TRACKING_ID,
    messenger_subscription_token: TOKEN,
    message_id: CAMPAIGN,
  },
  {
    field: 'marketing_message_clicks',
    page_id: PAGE,
    timestamp: ms('2026-11-20T09:06:00Z') / 1000,
    mid: null,
    messenger_subscription_token: TOKEN,
    message_id: CAMPAIGN,
  },
  {
    page_id: PAGE,
    app_id: 246813579,
    business_id: 987654321,
    timestamp: ms('2026-11-20T10:00:00Z'),
    messenger_subscription_token: 'another subscriber',
    message_id: CAMPAIGN,
    error_message: 'This person is not available right now.',
  },
]

const time = ms('2026-11-20T10:00:01Z')

/** The four shapes of contract 13.4, as the bodies that they come in. */
const SHAPES: Record<string, unknown[]> = {
  'changes[].value': [
    {
      object: 'page',
      entry: [{ id: String(PAGE), time, changes: PAYLOADS.map((value) => ({ field: value.field, value })) }],
    },
  ],
  'flat changes[]': [{ object: 'page', entry: [{ id: String(PAGE), time, changes: PAYLOADS }] }],
  'messaging[]': [{ object: 'page', entry: [{ id: String(PAGE), time, messaging: PAYLOADS }] }],
  'bare payload': PAYLOADS,
}

for (const [shape, bodies] of Object.entries(SHAPES)) {
  test(`the webhook door counts the documented payloads as ${shape}`, async () => {
    await using server = await TestServer.open()
    await server.addAccount('1', { page_ids: [String(PAGE)] })
    for (const body of bodies) assert.equal((await server.post(body)).status, 200)
    // Meta retries what it is not sure of.
    for (const body of bodies) assert.equal((await server.post(body)).status, 200)
    const names = ['sent', 'delivered', 'delivery_rate', 'read', 'link_btn_click', 'link_btn_click_rate']
    const fields = names.map((name) => `marketing_messages_${name}`).join(',')
    const row = await server.row(CAMPAIGN, `fields=${fields}&date_preset=today`, '1')
    assert.deepEqual(Object.values(row ?? {}), ['1', '1', '100', '1', '1', '100', '2026-11-20', '2026-11-20'])
    const node = await server.store.registry.readNode(CAMPAIGN)
    const [failure] = await server.store.rollups.readFailures(node ?? { account: 0, ads: [] })
    assert.equal(failure?.error_message, 'This person is not available right now.')
    assert.equal(failure?.failed, 1)
    assert.equal(await server.metric('readout_changes_rejected_total'), 0)
    assert.equal(await server.metric('readout_facts_total{kind="clicked"}'), 2)
  })
}

test('the webhook door refuses what is not signed, truncated or too long, and counts it', async () => {
  await using server = await TestServer.open()
  const body = JSON.stringify(envelope('1', PAYLOADS[0] ?? {}))
  const signed = (text: string, secret = APP_SECRET) => ({
    'x-hub-signature-256': formatSignature(Buffer.from(text), secret),
  })
  const long = `"${' '.repeat(WEBHOOK_BODY_BYTES_MAX)}"`
  const refused: [string, Record<string, string>, number][] = [
    [body, {}, 403],
    [body, { 'x-hub-signature-256': 'sha256=' }, 403],
    [body, { 'x-hub-signature-256': 'sha1=2fd4e1c67a2d28fced849ee1bb76e7391b93eb12' }, 403],
    [body, signed(body, 'another secret'), 403],
    [body.slice(0, -1), signed(body), 403],
    [body.slice(0, -1), signed(body.slice(0, -1)), 400],
    ['[1,2]', signed('[1,2]'), 400],
    [long, signed(long), 413],
  ]
  for (const [text, headers, status] of refused) {
    const response = await server.post(text, headers)
    assert.equal(response.status, status, text.slice(0, 40))
    assert.notEqual(await response.text(), '')
  }
  assert.equal(await server.metric('readout_requests_total{door="webhooks",status="403"}'), 5)
  assert.equal(await server.metric('readout_requests_total{door="webhooks",status="400"}'), 2)
  assert.equal(await server.metric('readout_requests_total{door="webhooks",status="413"}'), 1)
  assert.equal(await server.metric('readout_commits_total'), 0)
})

test('the webhook door takes any of several app secrets, and none without one', async () => {
  await using rotating = await TestServer.open({ app_secrets: ['old', 'new'] })
  for (const [secret, status] of [
    ['old', 200],
    ['new', 200],
    [APP_SECRET, 403],
  ] as const) {
    const body = '{"object":"page","entry":[]}'
    const headers = { 'x-hub-signature-256': formatSignature(Buffer.from(body), secret) }
    assert.equal((await rotating.post(body, headers)).status, status)
  }
  await using closed = await TestServer.open({ app_secrets: [] })
  assert.equal((await closed.post({})).status, 403)
})

test('the webhook door answers the handshake with its challenge, and only to the verify token', async () => {
  await using server = await TestServer.open()
  const ask = (token: string) =>
    fetch(`${server.url}/webhooks/messenger?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=${token}`)
  const right = await ask('a+verify+token')
  assert.deepEqual([right.status, await right.text()], [200, '1158201444'])
  assert.equal((await ask('another')).status, 403)
  await using closed = await TestServer.open({ verify_token: undefined })
  assert.equal((await fetch(`${closed.url}/webhooks/messenger?hub.mode=subscribe&hub.verify_token=`)).status, 403)
})

test('the webhook door sets a malformed change aside, and commits its neighbours', async () => {
  await using server = await TestServer.open()
  await server.addAccount('1', { page_ids: ['9'] })
  const [echo] = PAYLOADS
  const changes = [
    { ...echo, page_id: '9', timestamp: 41412414141 },
    { ...echo, page_id: '9', marketing_message_tracking_id: undefined },
    { ...echo, page_id: '9', message_id: { id: 1 } },
    { ...echo, page_id: '9', messenger_subscription_token: undefined },
    { ...echo, page_id: '9', field: 'marketing_message_wishes' },
    { ...echo, page_id: '9' },
    { field: 'feed', value: { item: 'status' } },
  ]
  const body = { object: 'page', entry: [{ id: '9', changes: [null, 'text', ...changes] }, 'no entry'] }
  assert.equal((await server.post(body)).status, 200)
  assert.equal(
    (await server.row(CAMPAIGN, 'fields=marketing_messages_sent&date_preset=today', '1'))?.marketing_messages_sent,
    '1',
  )
  assert.equal(await server.metric('readout_changes_rejected_total'), 5)
  assert.equal(await server.metric('readout_changes_ignored_total'), 3)
  const rejected = await server.store.setAside.listRejected('', 100)
  assert.deepEqual(rejected.map(({ reason }) => reason.split(' ')[0]).sort(), [
    'field',
    'marketing_message_tracking_id',
    'message_id',
    'messenger_subscription_token',
    'timestamp',
  ])
  for (const { change } of rejected) assert.ok(!change.includes(TOKEN) && !change.includes('m_first'), change)
})

test('the webhook door keeps every digit of an id, as a number and as text', async () => {
  await using server = await TestServer.open()
  await server.addAccount('1', { page_ids: ['18446744073709551615'] })
  const [echo] = PAYLOADS
  const body = JSON.stringify(envelope('1', { ...echo, page_id: 'PAGE', message_id: 'AD' }))
    .replace('"PAGE"', '18446744073709551615')
    .replace('"AD"', '9007199254740993')
  assert.equal((await server.post(body)).status, 200)
  assert.ok(await server.row('9007199254740993', 'date_preset=today', '1'))
})
