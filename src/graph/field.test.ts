import assert from 'node:assert/strict'
import { test } from 'node:test'
import { METRICS } from '../domain/metric.ts'
import { FIELDS, FIELDS_DEFAULT, parseFields } from './field.ts'
import { APP_FIELDS, LIST_FIELDS, SCALAR_FIELDS } from './field-names.ts'

const CHECK =
  'please check https://developers.facebook.com/docs/marketing-api/reference/ads-insights/ for all valid values'

test('parseFields() accepts the 224 names of all SDKs, and the 4 of WhatsApp', () => {
  assert.deepEqual([LIST_FIELDS.length, SCALAR_FIELDS.length, APP_FIELDS.length], [89, 135, 4])
  assert.equal(FIELDS.size, 228)
  const names = [...FIELDS]
  const withoutDates = names.filter((name) => !name.startsWith('date_'))
  assert.deepEqual(parseFields(names.join(',')), withoutDates)
  assert.ok([...METRICS.map(({ field }) => field), ...FIELDS_DEFAULT].every((name) => SCALAR_FIELDS.includes(name)))
})

test('parseFields() keeps the order asked, each once, and leaves the dates to the end of the row', () => {
  const fields = parseFields('["spend","date_stop","ad_id","spend","date_start","account_id"]')
  assert.deepEqual(fields, ['spend', 'ad_id', 'account_id'])
})

test('parseFields() says in the words of Meta which names are not valid', () => {
  const rows: [fields: string, code: number, message: string][] = [
    ['spend,nope', 100, `(#100) nope is not valid for fields param. ${CHECK}`],
    ['a,spend,b', 100, `(#100) a, b are not valid for fields param. ${CHECK}`],
    ['["age","country"]', 100, `(#100) age, country are not valid for fields param. ${CHECK}`],
    ['Spend', 100, `(#100) Spend is not valid for fields param. ${CHECK}`],
    ['toString', 100, `(#100) toString is not valid for fields param. ${CHECK}`],
    ['[["spend"]]', 100, '(#100) fields must be a list of names, as a,b or ["a","b"]'],
    [
      'spend,onsite_conversion.total',
      2500,
      'Syntax error "Expected end of string instead of "."." at character 23: spend,onsite_conversion.total',
    ],
    ['ads{name}', 2500, 'Syntax error "Expected end of string instead of "{"." at character 3: ads{name}'],
    ['spend cpc', 2500, 'Syntax error "Expected end of string instead of " "." at character 5: spend cpc'],
  ]
  for (const [fields, code, message] of rows) {
    assert.throws(() => parseFields(fields), { name: 'GraphError', message }, fields)
    assert.throws(
      () => parseFields(fields),
      ({ kind }) => kind.code === code,
      fields,
    )
  }
})
