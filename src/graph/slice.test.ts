import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDay, parseDay } from '../domain/day.ts'
import { SLICES_MAX, sliceFinder, sliceRanges, type TimeIncrement } from './slice.ts'

const day = (text: string) => parseDay(text) ?? Number.NaN

function slices(since: string, until: string, increment: TimeIncrement): string[] {
  const range = { since: day(since), until: day(until) }
  return sliceRanges([range], increment).map((slice) => `${formatDay(slice.since)}/${formatDay(slice.until)}`)
}

test('sliceRanges() counts from the first day and cuts the last slice off', () => {
  const rows: [since: string, until: string, increment: TimeIncrement, slices: string[]][] = [
    ['2026-02-27', '2026-03-02', 'all_days', ['2026-02-27/2026-03-02']],
    ['2026-02-28', '2026-03-01', 1, ['2026-02-28/2026-02-28', '2026-03-01/2026-03-01']],
    ['2026-03-01', '2026-03-10', 7, ['2026-03-01/2026-03-07', '2026-03-08/2026-03-10']],
    ['2026-03-01', '2026-03-10', 90, ['2026-03-01/2026-03-10']],
    [
      '2025-12-31',
      '2026-02-03',
      'monthly',
      ['2025-12-31/2025-12-31', '2026-01-01/2026-01-31', '2026-02-01/2026-02-03'],
    ],
    ['2026-03-05', '2026-03-05', 'monthly', ['2026-03-05/2026-03-05']],
  ]
  for (const [since, until, increment, expected] of rows) assert.deepEqual(slices(since, until, increment), expected)
})

test('sliceFinder() finds a day in slices that follow each other, and in ranges that overlap', () => {
  const weeks = sliceFinder([
    { since: 1, until: 7 },
    { since: 8, until: 14 },
    { since: 20, until: 21 },
  ])
  const ranges = sliceFinder([
    { since: 5, until: 9 },
    { since: 1, until: 6 },
  ])
  const rows: [day: number, ofWeeks: number[], ofRanges: number[]][] = [
    [0, [], []],
    [1, [0], [1]],
    [6, [0], [0, 1]],
    [8, [1], [0]],
    [17, [], []],
    [21, [2], []],
    [22, [], []],
  ]
  for (const [at, ofWeeks, ofRanges] of rows)
    assert.deepEqual([weeks(at), ranges(at)], [ofWeeks, ofRanges], `day ${at}`)
})

test('sliceRanges() refuses more slices than anyone reads', () => {
  assert.equal(slices('2013-01-01', '2026-01-01', 1).length, 4749)
  const message = `(#100) time_increment: the range has more than ${SLICES_MAX} slices, name a shorter one`
  assert.throws(() => slices('0001-01-01', '2026-01-01', 1), { name: 'GraphError', message })
  assert.throws(() => slices('0001-01-01', '2026-01-01', 'monthly'), { name: 'GraphError', message })
  const years = Array.from({ length: 100 }, () => ({ since: 19_000, until: 19_364 }))
  assert.throws(() => sliceRanges(years, 1), { name: 'GraphError', message })
})
