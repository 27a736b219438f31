import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openEmptyStore } from '../../test/database.ts'
import type { Node } from '../store/registry.ts'
import { Directory } from './directory.ts'
import { parseInsightsQuery } from './insights-parameters.ts'
import { parseForm } from './parameters.ts'
import { exportColumns, formatRunId, isRunId, orderReport, parametersOf, queryOf } from './report-order.ts'

const store = await openEmptyStore()
after(() => store[Symbol.asyncDispose]())
const names = { account_id: '1', name: 'One', currency: 'USD', time_zone: 'UTC', page_ids: [] }
await store.write(({ registry }) => registry.addAccount(names))

async function orderOf(query: string) {
  const now = Temporal.Instant.from('2026-03-18T12:00:00Z')
  const source = { tables: store, directory: new Directory(), now, meta_history_limit: false }
  const node = (await store.registry.readNode('act_1')) as Node
  return orderReport(source, node, 'act_1', parseForm(query), '900000000000000001')
}

test('formatRunId() makes 18 digits of any bits', () => {
  for (const random of [0n, 1n, 10n ** 17n, 2n ** 64n - 1n]) {
    assert.match(formatRunId(random), /^9\d{17}$/)
    assert.ok(isRunId(formatRunId(random)))
  }
  for (const id of ['120210000000000123', 'act_1', '', '9', '90000000000000000x']) assert.ok(!isRunId(id), id)
})

test('orderReport() keeps what concerns the report, and never the access token', async () => {
  const { parameters, days, created_at } = await orderOf(
    'access_token=secret&appsecret_proof=secret&id=act_1&fields=ad_id&date_preset=yesterday&summary=&sort=&limit=7&after=MAZDZD',
  )
  assert.deepEqual(parameters, { fields: 'ad_id', date_preset: 'yesterday' })
  assert.deepEqual([days?.since, days?.until], [20529, 20529])
  assert.equal(created_at, Date.parse('2026-03-18T12:00:00Z'))
})

test('orderReport() keeps a query that reads as it was asked, however it was written', async () => {
  const queries = [
    '',
    'fields[]=ad_id&fields[]=ad_name&time_range[since]=2026-01-01&time_range[until]=2026-01-31&level=ad',
    "time_ranges=[{'since':'2026-01-01','until':'2026-01-02'}]&filtering=[{field:ad.name,operator:CONTAIN,value:'a, b'}]",
    'breakdowns=["country"]&sort=date_start_descending&default_summary=true&time_increment=monthly',
    'summary=marketing_messages_spend,ad_id&region_policy=all&dated_by=delivery&date_preset="last_7d"',
  ]
  for (const query of queries) {
    assert.deepEqual(queryOf(await orderOf(query)), parseInsightsQuery(parseForm(query)), query)
  }
})

test('exportColumns() are those asked for, and the fields where none are', async () => {
  const columnsOf = async (query: string) => {
    const order = await orderOf(`export_format=csv&${query}`)
    return exportColumns(parametersOf(order), queryOf(order)).join(' ')
  }
  const rows: [query: string, columns: string][] = [
    ['fields=ad_id,ad_name', 'ad_id ad_name date_start date_stop'],
    ['fields=ad_id&breakdowns=country', 'ad_id date_start date_stop country'],
    ['fields=ad_id,ad_name&export_columns=["ad_name"]', 'ad_name'],
    ['export_columns=country,ad_name,date_stop&breakdowns=country', 'country ad_name date_stop'],
  ]
  for (const [query, columns] of rows) assert.equal(await columnsOf(query), columns)
  const message = '(#100) export_columns: country must be among fields: ad_id, date_start, date_stop'
  await assert.rejects(columnsOf('fields=ad_id&export_columns=country'), { message })
})
