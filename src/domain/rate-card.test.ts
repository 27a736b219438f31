import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Rate, RateCard } from './rate-card.ts'

const RATES: readonly Rate[] = [
  { country: 'BR', valid_from: 20, price_micros: 7n },
  { country: '*', valid_from: 0, price_micros: 1n },
  { country: 'BR', valid_from: 10, price_micros: 5n },
  { country: 'US', valid_from: 10, price_micros: 0n },
  { country: '*', valid_from: 15, price_micros: 2n },
]

test('RateCard.priceOf() takes the newest rate of the country as of the day, else of any country', () => {
  const rows: [country: string | null, day: number, price_micros: bigint | null][] = [
    ['BR', 10, 5n],
    ['BR', 19, 5n],
    ['BR', 20, 7n],
    ['BR', 9999, 7n],
    ['BR', 9, 1n],
    ['US', 10, 0n],
    ['VN', 14, 1n],
    ['VN', 15, 2n],
    [null, 14, 1n],
    [null, -1, null],
    ['BR', -1, null],
  ]
  for (const rates of [RATES, RATES.toReversed()]) {
    const card = new RateCard(rates)
    for (const [country, day, price] of rows) assert.equal(card.priceOf(country, day), price, `${country} on ${day}`)
  }
})

test('RateCard.priceOf() knows no price for a country that only others have', () => {
  const card = new RateCard([{ country: 'BR', valid_from: 0, price_micros: 5n }])
  assert.deepEqual([card.priceOf('BR', 0), card.priceOf('VN', 0), card.priceOf(null, 0)], [5n, null, null])
  assert.equal(new RateCard([]).priceOf('BR', 0), null)
})
