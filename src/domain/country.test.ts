import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCountry } from './country.ts'
import { EUROPE } from './region.ts'

test('parseCountry() reads the code of a country in either case, and no other', () => {
  const rows: [text: string, country: string | undefined][] = [
    ['DE', 'DE'],
    ['de', 'DE'],
    [' kR\n', 'KR'],
    ['XK', 'XK'],
    ['uk', 'GB'],
    ['EL', 'GR'],
    ['', undefined],
    ['EU', undefined],
    ['ZZ', undefined],
    ['XX', undefined],
    ['\u00df', undefined],
    ['constructor', undefined],
    ['D', undefined],
    ['DEU', undefined],
    ['D1', undefined],
    ['*', undefined],
    ['unknown', undefined],
  ]
  for (const [text, country] of rows) assert.equal(parseCountry(text), country, JSON.stringify(text))
})

test('parseCountry() knows every country of Europe', () => {
  for (const country of EUROPE) assert.equal(parseCountry(country), country)
})
