import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EUROPE, type RegionClass, regionClassOf } from './region.ts'

const EU_27 = 'AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE'.split(' ')

test('regionClassOf() puts each country in the class of the design', () => {
  const rows: [countries: readonly (string | null)[], region_class: RegionClass][] = [
    [EU_27, 'a'],
    [['GB', 'CH', 'NO', 'IS', 'UA', 'RU', 'RS', 'VA', 'XK', 'JP'], 'a'],
    [['AR', 'TR', 'KR'], 'b'],
    [['US', 'BR', 'IN', 'VN', 'AU', 'GE', 'KP', 'GL', 'ZZ', null], 'c'],
  ]
  for (const [countries, region_class] of rows) {
    for (const country of countries) assert.equal(regionClassOf(country), region_class, String(country))
  }
})

test('EUROPE is a list of two-letter codes without Turkey', () => {
  assert.equal(EUROPE.size, 53)
  for (const country of EUROPE) assert.match(country, /^[A-Z]{2}$/)
  assert.equal(EUROPE.has('TR'), false)
})
