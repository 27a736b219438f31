import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Day, dayOf, formatDay, parseDay, plainDate } from './day.ts'

test('parseDay() counts days from 1970-01-01', () => {
  const rows: [text: string, day: Day][] = [
    ['1970-01-01', 0],
    ['1969-12-31', -1],
    ['1970-12-31', 364],
    ['2000-02-29', 11_016],
    ['2026-03-18', 20_530],
    ['9999-12-31', 2_932_896],
  ]
  for (const [text, day] of rows) assert.equal(parseDay(text), day, text)
})

test('parseDay() takes nothing but a day of the calendar as YYYY-MM-DD', () => {
  const texts = ['', '2026-02-29', '2026-13-01', '2026-00-10', '2026-04-31', '2026-3-1', '20260301', '1772323200']
  const near = [' 2026-03-01', '2026-03-01\n', '2026-03-01T00:00', '+002026-03-01', '2026/03/01', '٢٠٢٦-٠٣-٠١', 'today']
  for (const text of [...texts, ...near]) assert.equal(parseDay(text), undefined, JSON.stringify(text))
})

test('formatDay(), parseDay(), plainDate() and dayOf() undo each other', () => {
  const [first, last] = [parseDay('0000-01-01') as Day, parseDay('9999-12-31') as Day]
  fc.assert(
    fc.property(fc.integer({ min: first, max: last }), (day) => {
      assert.equal(parseDay(formatDay(day)), day)
      assert.equal(dayOf(plainDate(day)), day)
      assert.equal(plainDate(day).toString(), formatDay(day))
    }),
  )
})
