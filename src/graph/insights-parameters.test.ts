import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DATE_PRESETS } from '../domain/date-preset.ts'
import { parseDay } from '../domain/day.ts'
import { FIELDS_DEFAULT } from './field.ts'
import { INSIGHTS_PARAMETERS, LIMIT_MAX, parseInsightsQuery, type Treatment } from './insights-parameters.ts'
import { parseForm } from './parameters.ts'

const parsed = (query: string) => parseInsightsQuery(parseForm(query))

const DEFAULT = {
  fields: FIELDS_DEFAULT,
  dates: 'last_30d',
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
  const names = [...namesOf('answered'), ...namesOf('refused')]
  for (const name of names) {
    for (const value of ['', '[]', '{}', '%22%22']) assert.deepEqual(parsed(`${name}=${value}`), DEFAULT, name)
  }
  const foreign = ['access_token', 'order_by', 'breakdown', 'id', 'locale', 'debug', 'pretty', 'constructor']
  for (const name of [...namesOf('disregarded'), ...foreign]) assert.deepEqual(parsed(`${name}=x`), DEFAULT, name)
})

test('parseInsightsQuery() refuses what it cannot answer by name', () => {
  const refused = namesOf('refused')
  const names =
    'level time_ranges time_increment breakdowns action_breakdowns summary_action_breakdowns ' +
    'action_attribution_windows filtering sort summary default_summary export_format export_columns export_name'
  assert.equal(refused.join(' '), names)
  for (const name of refused) {
    const message = `(#100) ${name} is not answered by this version of Readout: leave it out`
    for (const value of ['x', '["x"]', '[{a:1}]']) {
      assert.throws(() => parsed(`${name}=${value}`), { name: 'GraphError', message })
    }
  }
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

test('parseInsightsQuery() reads a page', () => {
  const rows: [query: string, page: object][] = [
    ['limit=1', { ...DEFAULT.page, limit: 1 }],
    ['limit="100"', { ...DEFAULT.page, limit: 100 }],
    ['limit=5000', { ...DEFAULT.page, limit: LIMIT_MAX }],
    ['limit=999999', { ...DEFAULT.page, limit: LIMIT_MAX }],
    ['after=MjQZD', { ...DEFAULT.page, after: 24 }],
    ['before="MjQZD"', { ...DEFAULT.page, before: 24 }],
  ]
  for (const [query, page] of rows) assert.deepEqual(parsed(query).page, page, query)
})

test('parseInsightsQuery() reads our own parameters', () => {
  const query = parsed('region_policy=all&dated_by=delivery&fields=spend')
  assert.deepEqual(query, { ...DEFAULT, fields: ['spend'], region_policy: 'all', dated_by: 'delivery' })
})
