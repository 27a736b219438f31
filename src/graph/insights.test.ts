import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openEmptyStore } from '../../test/database.ts'
import type { Fact } from '../domain/fact.ts'
import { Admission } from '../store/admission.ts'
import { append } from '../store/append.ts'
import { gather } from '../store/gather.ts'
import type { Node } from '../store/registry.ts'
import { Directory } from './directory.ts'
import { readInsights } from './insights.ts'
import { parseInsightsQuery } from './insights-parameters.ts'
import type { InsightsRow } from './insights-row.ts'
import { parseForm } from './parameters.ts'

/** Still the evening of 17 March in New York, where the account is. */
const NOW = Temporal.Instant.from('2026-03-18T02:30:00Z')

const ACCOUNT = { account_id: '1', name: 'Flowers', currency: 'BRL', time_zone: 'America/New_York', page_ids: [] }

/** Campaign 31 has two ad sets and three ads; campaign 41 is known by one id only. */
const ADS = [
  { campaign_id: '31', adset_id: '21', ad_id: '11' },
  { campaign_id: '31', adset_id: '22', ad_id: '12' },
  { campaign_id: '31', adset_id: '22', ad_id: '13' },
  { campaign_id: '41', adset_id: '41', ad_id: '41' },
]

function fact(kind: Fact['kind'], time: string, ad_id: string, known: Partial<Fact>): Fact {
  const tracking_id = kind === 'clicked' ? null : `t${ad_id}`
  const unknown = { page_id: '101', subscriber: 'ann', mid: null, price_micros: null, country: null, btn_name: null }
  return { kind, at: Date.parse(time), ad_id, tracking_id, error_message: null, ...unknown, ...known }
}

const FACTS: readonly Fact[] = [
  // Someone of unknown country reads, and clicks twice, before midnight in New York and after it in Greenwich.
  fact('sent', '2026-03-14T12:00Z', '11', {}),
  fact('delivered', '2026-03-14T12:01Z', '11', { price_micros: 50_000n }),
  fact('read', '2026-03-16T03:30Z', '11', {}),
  fact('clicked', '2026-03-16T03:31Z', '11', {}),
  fact('clicked', '2026-03-16T03:32Z', '11', { btn_name: 'Buy now' }),
  // Someone in Europe, and a message to Korea that never arrives.
  fact('delivered', '2026-03-16T12:00Z', '12', { country: 'DE', price_micros: 70_000n }),
  fact('sent', '2026-01-05T12:00Z', '13', { country: 'KR' }),
  // Long ago, without a price.
  fact('delivered', '2022-05-01T12:00Z', '41', {}),
]

const store = await openEmptyStore()
after(() => store[Symbol.asyncDispose]())

await store.write(async (tables) => {
  const { account } = await tables.registry.addAccount(ACCOUNT)
  for (const ids of ADS) {
    const names = { campaign_name: 'Spring', adset_name: `Set ${ids.adset_id}`, ad_name: `Ad ${ids.ad_id}` }
    await tables.registry.addAd({ account, ...ids, ...names })
  }
  const admission = new Admission()
  await admission.open(tables.registry, NOW.epochMilliseconds)
  await append(tables, admission, gather(FACTS))
})

async function read(id: string, query: string, meta_history_limit = false): Promise<InsightsRow[]> {
  const node = (await store.registry.readNode(id)) as Node
  const source = { tables: store, directory: new Directory(), now: NOW, meta_history_limit }
  const insights = await readInsights(source, node, parseInsightsQuery(parseForm(query)))
  return Array.fromAsync(insights.rows, ({ row }) => insights.write(row))
}

/** The dates of a row. */
const dates = (date_start: string, date_stop: string) => ({ date_start, date_stop })

const fields = (...names: string[]) => `fields=${names.map((name) => `marketing_messages_${name}`).join(',')}`

/** A row's values by the end of their names, before its dates. */
function row(values: Record<string, string>, date_start: string, date_stop: string): InsightsRow {
  const named = Object.entries(values).map(([name, value]) => [`marketing_messages_${name}`, value])
  return { ...Object.fromEntries(named), ...dates(date_start, date_stop) }
}

test("readInsights() counts the asked node, in the days of the account's time zone", async () => {
  const rows: [id: string, query: string, delivered_read_clicks: string, dates: string][] = [
    ['act_1', '', '1 1 2', '2026-02-15 2026-03-16'],
    ['act_1', 'date_preset=last_7d', '1 1 2', '2026-03-10 2026-03-16'],
    ['act_1', 'date_preset=today', '', ''],
    ['31', 'time_range={since:2026-03-15,until:2026-03-15}', '0 1 2', '2026-03-15 2026-03-15'],
    ['21', 'time_range={since:2026-03-01,until:2026-12-31}', '1 1 2', '2026-03-01 2026-12-31'],
    ['11', 'time_range={since:2026-03-16,until:2026-12-31}', '', ''],
    ['12', '', '0 0 0', '2026-02-15 2026-03-16'],
    ['41', '', '', ''],
  ]
  for (const [id, query, counts, days] of rows) {
    const [found] = await read(id, `${query}&${fields('delivered', 'read', 'link_btn_click')}`)
    assert.equal(Object.values(found ?? {}).join(' '), `${counts} ${days}`.trim(), `${id} ${query}`)
  }
})

test('readInsights() has a row for whatever happened, though the documented classes count none of it', async () => {
  const asked = fields('delivered', 'read_rate', 'spend')
  const rows: [query: string, values: Record<string, string>][] = [
    ['', { delivered: '0', spend: '0.07' }],
    ['&region_policy=all', { delivered: '1', read_rate: '0', spend: '0.07' }],
  ]
  for (const [query, values] of rows) {
    assert.deepEqual(await read('12', `${asked}${query}`), [row(values, '2026-02-15', '2026-03-16')], query)
  }
  assert.deepEqual(await read('13', `date_preset=maximum&${asked}`), [
    row({ delivered: '0', spend: '0' }, '2026-01-05', '2026-03-17'),
  ])
})

test("readInsights() runs maximum from the node's own first day", async () => {
  const rows: [id: string, preset: string, date_start: string, date_stop: string][] = [
    ['act_1', 'maximum', '2022-05-01', '2026-03-17'],
    ['act_1', 'data_maximum', '2022-05-01', '2026-03-16'],
    ['31', 'maximum', '2026-01-05', '2026-03-17'],
    ['22', 'data_maximum', '2026-01-05', '2026-03-16'],
    ['11', 'data_maximum', '2026-03-14', '2026-03-15'],
  ]
  for (const [id, preset, date_start, date_stop] of rows) {
    const found = await read(id, `date_preset=${preset}&fields=spend`)
    assert.deepEqual(found, [dates(date_start, date_stop)], `${id} ${preset}`)
  }
})

test('readInsights() sums several ranges without dates, since the sum is of none', async () => {
  const node = (await store.registry.readNode('21')) as Node
  const source = { tables: store, directory: new Directory(), now: NOW, meta_history_limit: false }
  const summaryOf = async (...ranges: string[]) => {
    const asked = `${fields('read')}&default_summary=true&time_ranges=[${ranges.join(',')}]`
    return (await readInsights(source, node, parseInsightsQuery(parseForm(asked)))).summary
  }
  const [march, day] = ['{since:2026-03-01,until:2026-03-31}', '{since:2026-03-15,until:2026-03-15}']
  assert.deepEqual(await summaryOf(march), row({ read: '1' }, '2026-03-01', '2026-03-31'))
  assert.deepEqual(await summaryOf(march, day), { marketing_messages_read: '2' })
})

test('readInsights() splits rows by the hour of the account, and by the button that was clicked', async () => {
  const HOUR = 'hourly_stats_aggregated_by_advertiser_time_zone'
  const BUTTON = 'marketing_messages_btn_name'
  const asked = fields('delivered', 'link_btn_click', 'link_btn_click_rate')
  const [since, until] = ['2026-03-01', '2026-03-31']
  const range = `time_range={since:${since},until:${until}}`
  assert.deepEqual(await read('11', `${asked}&${range}&breakdowns=${HOUR}`), [
    {
      ...row({ delivered: '1', link_btn_click: '0', link_btn_click_rate: '0' }, since, until),
      [HOUR]: '08:00:00 - 08:59:59',
    },
    { ...row({ delivered: '0', link_btn_click: '2' }, since, until), [HOUR]: '23:00:00 - 23:59:59' },
  ])
  assert.deepEqual(await read('11', `${asked}&${range}&breakdowns=${BUTTON}`), [
    { ...row({ link_btn_click: '1' }, since, until), [BUTTON]: 'Buy now' },
    { ...row({ link_btn_click: '1' }, since, until), [BUTTON]: 'unknown' },
  ])
  // What was delivered on one day and clicked on another has a row on the day of the click.
  assert.deepEqual(await read('11', `${fields('link_btn_click')}&${range}&time_increment=1&breakdowns=${BUTTON}`), [
    { ...row({ link_btn_click: '1' }, '2026-03-15', '2026-03-15'), [BUTTON]: 'Buy now' },
    { ...row({ link_btn_click: '1' }, '2026-03-15', '2026-03-15'), [BUTTON]: 'unknown' },
  ])
})

test('readInsights() dates by delivery what is asked so', async () => {
  const asked = `dated_by=delivery&${fields('sent', 'delivered', 'read', 'link_btn_click', 'link_btn_click_rate')}`
  const on = (day: string) => read('act_1', `time_range={since:${day},until:${day}}&${asked}`)
  const delivered = { sent: '1', delivered: '1', read: '1', link_btn_click: '2', link_btn_click_rate: '100' }
  assert.deepEqual(await on('2026-03-14'), [row(delivered, '2026-03-14', '2026-03-14')])
  assert.deepEqual(await on('2026-03-15'), [], 'only things that are dated elsewhere happened')
  const undelivered = { sent: '1', delivered: '0', read: '0', link_btn_click: '0' }
  assert.deepEqual(await on('2026-01-05'), [row(undelivered, '2026-01-05', '2026-01-05')])
})

test('readInsights() says delivery_rate "0" of a node that never had a sent fact, in any range', async () => {
  const rows: [id: string, query: string, delivery_rate: string | undefined][] = [
    ['11', 'date_preset=maximum', '100'],
    ['11', 'time_range={since:2026-03-15,until:2026-03-15}', undefined],
    ['12', 'date_preset=maximum', '0'],
    ['31', 'date_preset=maximum', '50'],
    ['41', 'date_preset=maximum', '0'],
    ['act_1', 'date_preset=maximum', '100'],
  ]
  for (const [id, query, delivery_rate] of rows) {
    const [found] = await read(id, `${query}&${fields('delivery_rate')}`)
    assert.ok(found !== undefined && found.marketing_messages_delivery_rate === delivery_rate, `${id} ${query}`)
  }
  const [dated] = await read('12', `date_preset=maximum&dated_by=delivery&${fields('delivery_rate')}`)
  assert.equal(dated?.marketing_messages_delivery_rate, '0')
})

test('readInsights() leaves money out while a delivered message has no price', async () => {
  const query = `date_preset=maximum&${fields('spend', 'cost_per_delivered', 'spend_currency')}`
  const priced = { spend: '0.12', cost_per_delivered: '0.05', spend_currency: 'BRL' }
  assert.deepEqual(await read('31', query), [row(priced, '2026-01-05', '2026-03-17')])
  assert.deepEqual(await read('act_1', query), [row({ spend_currency: 'BRL' }, '2022-05-01', '2026-03-17')])
})

test('readInsights() names the node, what is above it, and what is below it while that is one', async () => {
  const ids = ['ad_id', 'adset_id', 'campaign_id', 'account_id']
  const names = ['ad_name', 'adset_name', 'campaign_name', 'account_name', 'account_currency']
  const rows: [id: string, named: string[]][] = [
    ['act_1', ['1', 'Flowers', 'BRL']],
    ['31', ['31', '1', 'Spring', 'Flowers', 'BRL']],
    ['21', ['11', '21', '31', '1', 'Ad 11', 'Set 21', 'Spring', 'Flowers', 'BRL']],
    ['22', ['22', '31', '1', 'Set 22', 'Spring', 'Flowers', 'BRL']],
    ['12', ['12', '22', '31', '1', 'Ad 12', 'Set 22', 'Spring', 'Flowers', 'BRL']],
    ['41', ['41', '41', '41', '1', 'Ad 41', 'Set 41', 'Spring', 'Flowers', 'BRL']],
  ]
  for (const [id, named] of rows) {
    const [found] = await read(id, `date_preset=data_maximum&fields=${[...ids, ...names].join(',')}`)
    assert.deepEqual(Object.values(found ?? {}).slice(0, -2), named, id)
  }
})

test('readInsights() orders the keys as asked, leaves out what it has no value for, and ends with the dates', async () => {
  const [found] = await read('11', 'fields=date_stop,marketing_messages_read,cpm,ad_id,marketing_messages_sent,actions')
  const keys = ['marketing_messages_read', 'ad_id', 'marketing_messages_sent', 'date_start', 'date_stop']
  assert.deepEqual(Object.keys(found ?? {}), keys)
})

const since = (day: string) => `time_range={since:${day},until:2026-03-17}`

test("readInsights() refuses days before Meta's 37 months only when told to", async () => {
  const message = '(#3018) The start date of the time range cannot be beyond 37 months from the current date'
  await assert.rejects(read('act_1', since('2023-02-16'), true), { name: 'GraphError', message })
  assert.equal((await read('act_1', since('2023-02-17'), true)).length, 1)
  assert.equal((await read('act_1', since('2022-05-01'))).length, 1)
})

test('readInsights() limits maximum to 37 months', async () => {
  const [found] = await read('act_1', 'date_preset=maximum&fields=spend', true)
  assert.deepEqual(found, dates('2023-02-17', '2026-03-17'))
})
