import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DATE_PRESETS } from '../domain/date-preset.ts'
import { parseDay } from '../domain/day.ts'
import { FIELDS_DEFAULT } from './field.ts'
import { INSIGHTS_PARAMETERS, LIMIT_MAX, parseInsightsQuery } from './insights-parameters.ts'
import type { Treatment } from './parameter.ts'
import { parseForm } from './parameters.ts'

const parsed = (query: string) => parseInsightsQuery(parseForm(query))

const DEFAULT = {
  fields: FIELDS_DEFAULT,
  level: undefined,
  dates: 'last_30d',
  time_increment: 'all_days',
  breakdown: undefined,
  filters: [],
  sort: undefined,
  summary: undefined,
  region_policy: 'documented',
  dated_by: 'event',
  page: { limit: 25, after: undefined, before: undefined },
}

function namesOf(treatment: Treatment): string[] {
  return INSIGHTS_PARAMETERS.filter((parameter) => parameter.treatment === treatment).map(({ name }) => name)
}

test('parseInsightsQuery() has a default for everything', () => {
  assert.deepEqual(parsed(''), DEFAULT)
})

test('parseInsightsQuery() takes an empty value, and what is not its own, for nothing', () => {
  for (const name of namesOf('answered')) {
    for (const value of ['', '[]', '{}', '%22%22']) assert.deepEqual(parsed(`${name}=${value}`), DEFAULT, name)
  }
  const foreign = ['access_token', 'order_by', 'breakdown', 'id', 'locale', 'debug', 'pretty', 'constructor']
  for (const name of [...namesOf('disregarded'), ...foreign]) assert.deepEqual(parsed(`${name}=x`), DEFAULT, name)
})

test('INSIGHTS_PARAMETERS has the 23 of Meta, two cursors and our own two', () => {
  const names = INSIGHTS_PARAMETERS.map(({ name }) => name)
  assert.deepEqual([names.length, new Set(names).size], [27, 27])
})

test('parseInsightsQuery() reads dates in every form, and lets time_range beat date_preset', () => {
  const march = { since: parseDay('2026-03-01'), until: parseDay('2026-03-17') }
  const rows: [query: string, dates: string | object][] = [
    ...DATE_PRESETS.map((preset): [string, string] => [`date_preset=${preset}`, preset]),
    ['date_preset="last_7d"', 'last_7d'],
    ['time_range={"since":"2026-03-01","until":"2026-03-17"}', march],
    ["time_range={'since':'2026-03-01','until':'2026-03-17'}", march],
    ['time_range={since:2026-03-01,until:2026-03-17}', march],
    ['time_range[since]=2026-03-01&time_range[until]=2026-03-17', march],
    ['time_range[since]=2026-03-01&time_range[until]=2026-03-17&date_preset=today', march],
    ['time_range[since]=2026-03-01&time_range[until]=2026-03-17&date_preset=nonsense', march],
    ['time_range[since]=2026-03-01&time_range[until]=2026-03-01', { since: march.since, until: march.since }],
    ['time_range={}&date_preset=today', 'today'],
  ]
  for (const [query, dates] of rows) assert.deepEqual(parsed(query).dates, dates, query)
})

test('parseInsightsQuery() refuses values in the words of Meta', () => {
  const date = '(#100) Must be a date representation in the format YYYY-MM-DD'
  const range = '(#100) time_range must be an object: {"since":"YYYY-MM-DD","until":"YYYY-MM-DD"}'
  const increment = '(#100) time_increment must be all_days, monthly, or a number of days from 1 to 90'
  const limit = '(#100) limit must be a whole number of rows, 1 or more'
  const cursor = '(#2642) Invalid cursors values'
  const rows: [query: string, message: string][] = [
    ['date_preset=lifetime', `(#100) date_preset must be one of the following values: ${DATE_PRESETS.join(', ')}`],
    ['date_preset=["today"]', `(#100) date_preset must be one of the following values: ${DATE_PRESETS.join(', ')}`],
    ['region_policy=none', '(#100) region_policy must be one of the following values: documented, all'],
    ['dated_by=send', '(#100) dated_by must be one of the following values: event, delivery'],
    ['time_range=2026-03-01', range],
    ['time_range=["2026-03-01","2026-03-17"]', range],
    ['time_range={since:2026-03-01', range],
    ['time_range={since:2026-03-01}', date],
    ['time_range={until:2026-03-01}', date],
    ['time_range={since:1772323200,until:1772323201}', date],
    ['time_range={since:2026-02-30,until:2026-03-01}', date],
    ['time_range={since:2026-3-1,until:2026-3-2}', date],
    ['time_range={since:{},until:2026-03-01}', date],
    ['time_range={since:2026-03-02,until:2026-03-01}', '(#100) time_range: since must not be after until'],
    ['level=page', '(#100) level must be one of the following values: account, campaign, adset, ad'],
    ['time_increment=0', increment],
    ['time_increment=91', increment],
    ['time_increment=weekly', increment],
    ['time_ranges=[{since:2026-03-02,until:2026-03-01}]', '(#100) time_range: since must not be after until'],
    ['breakdowns=age', '(#100) Current combination of data breakdown columns (action_type, age) is invalid'],
    [
      'breakdowns=country,age',
      '(#100) Current combination of data breakdown columns (action_type, country, age) is invalid',
    ],
    ['sort=a,b', '(#100) sort must be a list of at most one name'],
    ['sort=wishes_ascending', '(#100) sort: wishes is no field that rows can be sorted by'],
    ['filtering=x', '(#100) filtering must be a list of objects with field, operator and value'],
    [
      'filtering=[{field:wishes,operator:EQUAL,value:1}]',
      '(#100) filtering: wishes is no field that rows can be filtered by',
    ],
    [
      'filtering=[{field:ad.id,operator:GREATER_THAN,value:1}]',
      '(#100) filtering: GREATER_THAN does not fit the field ad_id',
    ],
    [
      'filtering=[{"foo":1}]',
      '(#100) filtering: field is missing in {"foo":"1"}; a condition is an object such as ' +
        '{"field":"campaign.id","operator":"IN","value":["1"]}',
    ],
    [
      'breakdowns=marketing_messages_btn_name&sort=marketing_messages_read',
      '(#100) sort: rows of the breakdown marketing_messages_btn_name have no marketing_messages_read',
    ],
    [
      'breakdowns=marketing_messages_btn_name&filtering=[{field:marketing_messages_spend,operator:EQUAL,value:1}]',
      '(#100) filtering: rows of the breakdown marketing_messages_btn_name have no marketing_messages_spend',
    ],
    ['filtering=[{field:ad.id,operator:EQUAL,value:[1,2]}]', '(#100) filtering: EQUAL takes one value'],
    [
      'filtering=[{field:marketing_messages_read,operator:EQUAL,value:many}]',
      '(#100) filtering: many is no number to compare marketing_messages_read with',
    ],
    ['limit=0', limit],
    ['limit=-1', limit],
    ['limit=1.5', limit],
    ['limit=1e3', limit],
    ['limit=ten', limit],
    ['limit=[5]', limit],
    ['limit=9999999999999999', limit],
    ['after=rubbish', cursor],
    ['before=["MAZDZD"]', cursor],
    ['after=MAZDZD&before=rubbish', cursor],
  ]
  for (const [query, message] of rows) assert.throws(() => parsed(query), { name: 'GraphError', message }, query)
})

test('parseInsightsQuery() reads what cuts, orders and sums the rows', () => {
  const first = { since: parseDay('2026-03-01'), until: parseDay('2026-03-02') }
  const rows: [query: string, part: object][] = [
    ['level=adset', { level: 'adset' }],
    ['time_increment=7', { time_increment: 7 }],
    ['time_increment="90"', { time_increment: 90 }],
    ['time_increment=monthly', { time_increment: 'monthly' }],
    ['time_increment=all_days', {}],
    ["time_ranges=[{'since':'2026-03-01','until':'2026-03-02'}]&time_increment=1", { dates: [first] }],
    ['time_ranges[0][since]=2026-03-01&time_ranges[0][until]=2026-03-02&date_preset=today', { dates: [first] }],
    ['breakdowns=country', { breakdown: 'country' }],
    ['breakdowns=["country"]', { breakdown: 'country' }],
    ['breakdowns=marketing_messages_btn_name', { breakdown: 'marketing_messages_btn_name' }],
    ['sort=date_start_descending', { sort: { field: 'date_start', isDescending: true } }],
    [
      'sort=["marketing_messages_spend_ascending"]',
      { sort: { field: 'marketing_messages_spend', isDescending: false } },
    ],
    ['sort=campaign_name', { sort: { field: 'campaign_name', isDescending: false } }],
    ['sort=asc', {}],
    ['summary=marketing_messages_sent,spend', { summary: ['marketing_messages_sent', 'spend'] }],
    ['summary=true&fields=spend', { summary: ['spend'], fields: ['spend'] }],
    ['default_summary=true&fields=spend', { summary: ['spend'], fields: ['spend'] }],
    ['default_summary=false', {}],
  ]
  for (const [query, part] of rows) assert.deepEqual(parsed(query), { ...DEFAULT, ...part }, query)
})

test('parseInsightsQuery() reads filtering in every form, on ids, names, metrics and what it has no values for', () => {
  const rows: [text: string, filter: object][] = [
    [
      '[{"field":"campaign.id","operator":"IN","value":["1","2"]}]',
      { kind: 'node', field: 'campaign_id', operator: 'IN', values: ['1', '2'] },
    ],
    [
      "[{field:'ad.name',operator:'CONTAIN',value:'Sale, today'}]",
      { kind: 'node', field: 'ad_name', operator: 'CONTAIN', values: ['Sale, today'] },
    ],
    [
      '[{field:"ad.marketing_messages_read",operator:"greater_than",value:0}]',
      { kind: 'metric', field: 'marketing_messages_read', operator: 'GREATER_THAN', values: ['0'] },
    ],
    [
      '[{"field":"action_type","operator":"IN","value":["link_click"]}]',
      { kind: 'none', field: 'action_type', operator: 'IN', values: ['link_click'] },
    ],
    [
      '[{"field":"ad.effective_status","operator":"IN","value":["ACTIVE"]}]',
      { kind: 'status', field: 'ad.effective_status', operator: 'IN', values: ['ACTIVE'] },
    ],
  ]
  for (const [text, filter] of rows) assert.deepEqual(parsed(`filtering=${text}`).filters, [filter], text)
})

test('parseInsightsQuery() reads a page', () => {
  const rows: [query: string, page: object][] = [
    ['limit=1', { ...DEFAULT.page, limit: 1 }],
    ['limit="100"', { ...DEFAULT.page, limit: 100 }],
    ['limit=5000', { ...DEFAULT.page, limit: LIMIT_MAX }],
    ['limit=999999', { ...DEFAULT.page, limit: LIMIT_MAX }],
    ['after=MjQZD', { ...DEFAULT.page, after: { place: 24, start: undefined } }],
    ['before="MjQZD"', { ...DEFAULT.page, before: { place: 24, start: undefined } }],
  ]
  for (const [query, page] of rows) assert.deepEqual(parsed(query).page, page, query)
})

test('parseInsightsQuery() reads our own parameters', () => {
  const query = parsed('region_policy=all&dated_by=delivery&fields=spend')
  assert.deepEqual(query, { ...DEFAULT, fields: ['spend'], region_policy: 'all', dated_by: 'delivery' })
})
