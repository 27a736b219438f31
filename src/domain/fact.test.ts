import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FACT_AT_MIN_MS, resolveFactTime } from './fact.ts'

const NOW_MS = Date.parse('2026-11-22T21:30:00.500Z')
const TOMORROW_MS = Date.parse('2026-11-23T21:30:00.500Z')

test('resolveFactTime() reads seconds or milliseconds between 2015 and a day from now', () => {
  const rows: [claim: string, timestamp: number, at: number | undefined][] = [
    ['milliseconds', 1_795_000_000_123, 1_795_000_000_123],
    ['seconds', 1_795_000_000, 1_795_000_000_000],
    ['parts of a second', 1_795_000_000.5, 1_795_000_000_500],
    ['parts of a millisecond', 1_795_000_000_123.9, 1_795_000_000_123],
    ['2015 in milliseconds', 1_420_070_400_000, FACT_AT_MIN_MS],
    ['2015 in seconds', 1_420_070_400, FACT_AT_MIN_MS],
    ['before 2015 in milliseconds', 1_420_070_399_999, undefined],
    ['before 2015 in seconds', 1_420_070_399, undefined],
    ['a day ahead', TOMORROW_MS, TOMORROW_MS],
    ['more than a day ahead', TOMORROW_MS + 1, undefined],
    ["Meta's documented sample, which is neither", 41_412_414_141, undefined],
    ['microseconds', 1_795_000_000_123_000, undefined],
    ['zero', 0, undefined],
    ['before 1970', -1_795_000_000, undefined],
    ['no number', Number.NaN, undefined],
    ['no end', Number.POSITIVE_INFINITY, undefined],
  ]
  for (const [claim, timestamp, at] of rows) assert.equal(resolveFactTime(timestamp, NOW_MS), at, claim)
})
