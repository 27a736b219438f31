import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DATE_PRESET_DEFAULT, DATE_PRESETS, type DatePreset, isDatePreset, resolveDatePreset } from './date-preset.ts'

const date = (text: string) => Temporal.PlainDate.from(text)

/** The range as `since … until`, as seen from `today` by a node whose data runs from `data[0]` to `data[1]`. */
function resolved(preset: DatePreset, today: string, data?: [string, string]): string | undefined {
  const range = resolveDatePreset(preset, date(today), data && { since: date(data[0]), until: date(data[1]) })
  return range && `${range.since} … ${range.until}`
}

test('resolveDatePreset() resolves every preset on Wednesday 2026-03-18 as the contract does', () => {
  const examples: Record<DatePreset, string> = {
    today: '2026-03-18 … 2026-03-18',
    yesterday: '2026-03-17 … 2026-03-17',
    this_month: '2026-03-01 … 2026-03-18',
    last_month: '2026-02-01 … 2026-02-28',
    this_quarter: '2026-01-01 … 2026-03-18',
    last_quarter: '2025-10-01 … 2025-12-31',
    this_year: '2026-01-01 … 2026-03-18',
    last_year: '2025-01-01 … 2025-12-31',
    last_3d: '2026-03-15 … 2026-03-17',
    last_7d: '2026-03-11 … 2026-03-17',
    last_14d: '2026-03-04 … 2026-03-17',
    last_28d: '2026-02-18 … 2026-03-17',
    last_30d: '2026-02-16 … 2026-03-17',
    last_90d: '2025-12-18 … 2026-03-17',
    last_week_mon_sun: '2026-03-09 … 2026-03-15',
    last_week_sun_sat: '2026-03-08 … 2026-03-14',
    this_week_mon_today: '2026-03-16 … 2026-03-18',
    this_week_sun_today: '2026-03-15 … 2026-03-18',
    maximum: '2025-11-05 … 2026-03-18',
    data_maximum: '2025-11-05 … 2026-03-02',
  }
  for (const preset of DATE_PRESETS) {
    assert.equal(resolved(preset, '2026-03-18', ['2025-11-05', '2026-03-02']), examples[preset], preset)
  }
})

test('resolveDatePreset() keeps to the calendar on awkward days', () => {
  const rows: [today: string, preset: DatePreset, range: string][] = [
    ['2026-01-01', 'yesterday', '2025-12-31 … 2025-12-31'],
    ['2026-01-01', 'this_month', '2026-01-01 … 2026-01-01'],
    ['2026-01-01', 'last_month', '2025-12-01 … 2025-12-31'],
    ['2026-01-01', 'this_quarter', '2026-01-01 … 2026-01-01'],
    ['2026-01-01', 'last_quarter', '2025-10-01 … 2025-12-31'],
    ['2026-01-01', 'this_year', '2026-01-01 … 2026-01-01'],
    ['2026-01-01', 'last_year', '2025-01-01 … 2025-12-31'],
    ['2028-02-29', 'this_month', '2028-02-01 … 2028-02-29'],
    ['2028-02-29', 'last_year', '2027-01-01 … 2027-12-31'],
    ['2028-02-29', 'last_30d', '2028-01-30 … 2028-02-28'],
    ['2028-03-01', 'yesterday', '2028-02-29 … 2028-02-29'],
    ['2028-03-31', 'last_month', '2028-02-01 … 2028-02-29'],
    ['2026-03-31', 'last_month', '2026-02-01 … 2026-02-28'],
    ['2026-03-31', 'this_quarter', '2026-01-01 … 2026-03-31'],
    ['2026-04-01', 'this_quarter', '2026-04-01 … 2026-04-01'],
    ['2026-04-01', 'last_quarter', '2026-01-01 … 2026-03-31'],
    ['2026-12-31', 'this_quarter', '2026-10-01 … 2026-12-31'],
    ['2026-12-31', 'last_quarter', '2026-07-01 … 2026-09-30'],
    // A Sunday ends a week that began on Monday, and begins one that ends on Saturday.
    ['2026-03-15', 'this_week_mon_today', '2026-03-09 … 2026-03-15'],
    ['2026-03-15', 'this_week_sun_today', '2026-03-15 … 2026-03-15'],
    ['2026-03-15', 'last_week_mon_sun', '2026-03-02 … 2026-03-08'],
    ['2026-03-15', 'last_week_sun_sat', '2026-03-08 … 2026-03-14'],
    ['2026-03-16', 'this_week_mon_today', '2026-03-16 … 2026-03-16'],
    ['2026-03-16', 'this_week_sun_today', '2026-03-15 … 2026-03-16'],
    ['2026-03-16', 'last_week_mon_sun', '2026-03-09 … 2026-03-15'],
    ['2026-03-14', 'last_week_sun_sat', '2026-03-01 … 2026-03-07'],
  ]
  for (const [today, preset, range] of rows) assert.equal(resolved(preset, today), range, `${preset} on ${today}`)
})

test('resolveDatePreset() takes maximum and data_maximum from the data', () => {
  const rows: [preset: DatePreset, data: [string, string] | undefined, range: string | undefined][] = [
    ['maximum', undefined, undefined],
    ['data_maximum', undefined, undefined],
    ['maximum', ['2019-07-01', '2020-07-01'], '2019-07-01 … 2026-03-18'],
    ['data_maximum', ['2019-07-01', '2020-07-01'], '2019-07-01 … 2020-07-01'],
    // Facts may be a day ahead of our clock.
    ['maximum', ['2026-03-19', '2026-03-19'], '2026-03-19 … 2026-03-19'],
    ['data_maximum', ['2026-03-19', '2026-03-19'], '2026-03-19 … 2026-03-19'],
  ]
  for (const [preset, data, range] of rows) assert.equal(resolved(preset, '2026-03-18', data), range, preset)
})

test("DATE_PRESETS stands in the order of Meta's error text", () => {
  assert.equal(
    DATE_PRESETS.join(', '),
    'today, yesterday, this_month, last_month, this_quarter, maximum, data_maximum, last_3d, last_7d, last_14d, ' +
      'last_28d, last_30d, last_90d, last_week_mon_sun, last_week_sun_sat, last_quarter, last_year, ' +
      'this_week_mon_today, this_week_sun_today, this_year',
  )
  assert.equal(DATE_PRESET_DEFAULT, 'last_30d')
})

test('isDatePreset() knows the names and nothing near them', () => {
  assert.ok(DATE_PRESETS.every(isDatePreset))
  for (const text of ['last_60d', 'lifetime', 'LAST_7D', '', 'toString']) assert.equal(isDatePreset(text), false, text)
})
