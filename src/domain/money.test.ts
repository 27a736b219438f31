import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { divideHalfUp, formatMicros, formatRatio, parseMicros } from './money.ts'

test('parseMicros() reads units with at most six decimals', () => {
  const rows: [text: string, micros: bigint | undefined][] = [
    ['0', 0n],
    ['38.87', 38_870_000n],
    ['0.014109', 14_109n],
    ['.5', undefined],
    ['5.', undefined],
    ['007.50', 7_500_000n],
    [' 1.2\n', 1_200_000n],
    ['350000000000', 350_000_000_000_000_000n],
    ['999999999999.999999', 999_999_999_999_999_999n],
    ['1000000000000', undefined],
    ['0.0000001', undefined],
    ['-1', undefined],
    ['+1', undefined],
    ['1e3', undefined],
    ['1,50', undefined],
    ['1 000', undefined],
    ['', undefined],
    ['NaN', undefined],
  ]
  for (const [text, micros] of rows) assert.equal(parseMicros(text), micros, JSON.stringify(text))
})

test('formatMicros() strips trailing zeros, and keeps every digit past 2^53', () => {
  const rows: [micros: bigint, text: string][] = [
    [0n, '0'],
    [1n, '0.000001'],
    [10n, '0.00001'],
    [1_000_000n, '1'],
    [10_000_000n, '10'],
    [38_870_000n, '38.87'],
    [79_419_238n, '79.419238'],
    [-14_109n, '-0.014109'],
    [999_999_999_999_999n, '999999999.999999'],
    [1_000_000_000_000_001n, '1000000000.000001'],
    [9_007_199_254_740_993n, '9007199254.740993'],
    [350_000_000_000_000_001n, '350000000000.000001'],
  ]
  for (const [micros, text] of rows) assert.equal(formatMicros(micros), text)
})

test('parseMicros() undoes formatMicros()', () => {
  fc.assert(fc.property(fc.bigInt(0n, 10n ** 18n - 1n), (micros) => parseMicros(formatMicros(micros)) === micros))
})

test('divideHalfUp() rounds to the nearest whole, halves up', () => {
  const rows: [numerator: bigint, denominator: bigint, quotient: bigint][] = [
    [0n, 3n, 0n],
    [1n, 3n, 0n],
    [2n, 3n, 1n],
    [1n, 2n, 1n],
    [3n, 2n, 2n],
    [5n, 2n, 3n],
    [49n, 100n, 0n],
    [50n, 100n, 1n],
    [7n, 7n, 1n],
    [9_007_199_254_740_993n, 2n, 4_503_599_627_370_497n],
    [2n ** 63n - 1n, 1n, 2n ** 63n - 1n],
  ]
  for (const [numerator, denominator, quotient] of rows) {
    assert.equal(divideHalfUp(numerator, denominator), quotient, `${numerator} / ${denominator}`)
  }
})

test('formatRatio() is the quotient of bigints to the digit, small or large', () => {
  const amount = fc.oneof(fc.bigInt(0n, 10_000n), fc.bigInt(0n, 2n * 10n ** 15n), fc.bigInt(0n, 2n ** 63n - 1n))
  fc.assert(
    fc.property(amount, amount, (micros, over) => {
      const quotient = over === 0n ? undefined : divideHalfUp(micros, over)
      assert.equal(formatRatio(micros, over), quotient === undefined ? undefined : formatMicros(quotient))
    }),
  )
})
