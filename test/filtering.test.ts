import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { envelope, ms, TestServer } from './open.ts'

/** By id: names as marketers write them. */
const NAMES = new Map([
  ['11', '[KR] Spring'],
  ['12', 'KR Autumn'],
  ['13', 'Sale, May'],
  ['14', 'May'],
  ['15', `'Best' deal`],
])

let server: TestServer

before(async () => {
  server = await TestServer.open()
  await server.addAccount('1', { page_ids: ['9'] })
  for (const [id, name] of NAMES) {
    await server.addCampaign(id, '1')
    await server.store.write(({ registry }) => registry.rename('campaign', id, name))
  }
  const reads = [...NAMES.keys()].map((id) => ({
    field: 'marketing_message_reads',
    message_id: id,
    timestamp: ms('2026-11-19T09:00:00Z'),
    marketing_message_tracking_id: 't',
    messenger_subscription_token: 'A1B2C3D4E5F6G7H8I9J0',
  }))
  assert.equal((await server.post(envelope('9', ...reads))).status, 200)
})

after(() => server[Symbol.asyncDispose]())

type Row = Readonly<Record<string, string>>

/** The campaigns that a condition on their names leaves, as rows of insights and as a list. */
async function left(operator: string, value: unknown): Promise<{ rows: string[]; list: string[] }> {
  const filtering = (field: string) => encodeURIComponent(JSON.stringify([{ field, operator, value }]))
  const asked = `level=campaign&fields=campaign_id&date_preset=maximum&filtering=${filtering('campaign.name')}`
  const rows = (await server.graph(`act_1/insights?${asked}`)).data as readonly Row[]
  const list = (await server.graph(`act_1/campaigns?filtering=${filtering('name')}`)).data as readonly Row[]
  return { rows: rows.map((row) => row.campaign_id ?? '').sort(), list: list.map(({ id }) => id ?? '') }
}

test('a name is what it is, with its commas, brackets and quotes', async () => {
  const rows: [operator: string, value: unknown, ids: string[]][] = [
    ['IN', ['Sale, May'], ['13']],
    ['IN', '["Sale, May","May"]', ['13', '14']],
    ['IN', "['Sale, May']", ['13']],
    ['IN', 'Sale, May', ['14']],
    ['NOT_IN', ['Sale, May', 'May'], ['11', '12', '15']],
    ['EQUAL', 'Sale, May', ['13']],
    ['EQUAL', ['Sale, May'], ['13']],
    ['EQUAL', '[KR] Spring', ['11']],
    ['NOT_EQUAL', '[KR] Spring', ['12', '13', '14', '15']],
    ['CONTAIN', '[KR]', ['11']],
    ['CONTAIN', ['[KR]'], ['11']],
    ['NOT_CONTAIN', 'KR', ['13', '14', '15']],
    ['STARTS_WITH', '[KR]', ['11']],
    ['IN', ["'Best' deal"], ['15']],
    ['IN', [], []],
  ]
  for (const [operator, value, ids] of rows) {
    assert.deepEqual(await left(operator, value), { rows: ids, list: ids }, `${operator} ${JSON.stringify(value)}`)
  }
})

test('a condition that cannot be read is refused, and not left out', async () => {
  const condition = (operator: string, value: unknown) => JSON.stringify([{ field: 'campaign.name', operator, value }])
  const many = JSON.stringify(Array.from({ length: 51 }, () => ({ field: 'name', operator: 'IN', value: ['a'] })))
  const rows: [path: string, message: RegExp][] = [
    [`insights?filtering=${condition('IN', '["a"')}`, /filtering: the value of IN must be a list/],
    [`insights?filtering=${condition('EQUAL', ['a', 'b'])}`, /filtering: EQUAL takes one value/],
    [`insights?filtering=${condition('CONTAIN', 'a'.repeat(1001))}`, /a value is longer than 1000 characters/],
    [`insights?filtering=${many}`, /filtering has more than 50 conditions/],
    [`campaigns?filtering=${many}`, /filtering has more than 50 conditions/],
    [`campaigns?filtering=${condition('CONTAIN', ['a', 'b'])}`, /filtering: CONTAIN takes one value/],
    ['campaigns?effective_status=["ACTIVE"', /effective_status must be a list of names/],
    ['campaigns?updated_since=-1', /a time must be given in seconds since 1970/],
    ['insights?breakdowns=["country"', /breakdowns must be a list of names/],
    ['insights?breakdowns={"a":{"b":1}}', /breakdowns must be a list of names/],
    ['insights?sort=["spend', /sort must be a list of names/],
    ['insights?export_format=csv&export_columns=["spend', /export_columns must be a list of names/],
  ]
  for (const [path, message] of rows) {
    const { error } = await server.graph(`act_1/${path}`)
    assert.match(error?.message ?? '', message, path.slice(0, 100))
    assert.equal(error?.code, 100)
  }
  const { error } = await server.graph('insights?ids=["act_1"')
  assert.match(error?.message ?? '', /ids must be a list of names/)
})
