import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Calendar, calendarOf, findTimeZone } from './calendar.ts'
import { formatDay } from './day.ts'
import { hourOfDay } from './hour.ts'

test('Calendar.dayOf() turns at midnight of the zone', () => {
  const rows: [time_zone: string, midnight: string, before: string, after: string][] = [
    ['UTC', '2026-01-01T00:00Z', '2025-12-31', '2026-01-01'],
    ['Pacific/Kiritimati', '2025-12-31T10:00Z', '2025-12-31', '2026-01-01'],
    ['Pacific/Pago_Pago', '2026-01-01T11:00Z', '2025-12-31', '2026-01-01'],
    ['Asia/Kolkata', '2025-12-31T18:30Z', '2025-12-31', '2026-01-01'],
    // The days that are an hour short, and an hour long.
    ['America/New_York', '2026-03-08T05:00Z', '2026-03-07', '2026-03-08'],
    ['America/New_York', '2026-03-09T04:00Z', '2026-03-08', '2026-03-09'],
    ['America/New_York', '2026-11-01T04:00Z', '2026-10-31', '2026-11-01'],
    ['America/New_York', '2026-11-02T05:00Z', '2026-11-01', '2026-11-02'],
    ['Europe/Berlin', '2026-03-28T23:00Z', '2026-03-28', '2026-03-29'],
    ['Europe/Berlin', '2026-03-29T22:00Z', '2026-03-29', '2026-03-30'],
    ['Europe/Berlin', '2026-10-24T22:00Z', '2026-10-24', '2026-10-25'],
    ['Europe/Berlin', '2026-10-25T23:00Z', '2026-10-25', '2026-10-26'],
    // Clocks that went from midnight to one, so that the day began at 01:00.
    ['America/Sao_Paulo', '2018-11-04T03:00Z', '2018-11-03', '2018-11-04'],
    // Samoa crossed the date line, and had no 30 December.
    ['Pacific/Apia', '2011-12-30T10:00Z', '2011-12-29', '2011-12-31'],
  ]
  for (const [time_zone, midnight, before, after] of rows) {
    const calendar = new Calendar(time_zone)
    const at = Date.parse(midnight)
    const days = [calendar.dayOf(at - 1), calendar.dayOf(at)].map(formatDay)
    assert.deepEqual(days, [before, after], `${time_zone} ${midnight}`)
  }
})

test('Calendar.dayOf() knows the days before a change of the clock when it is asked at the change first', () => {
  const rows: [time_zone: string, change: string, before: string, day: string][] = [
    ['America/New_York', '2026-03-08T07:00Z', '2026-03-08T04:30Z', '2026-03-07'],
    ['Europe/Berlin', '2026-10-25T01:00Z', '2026-10-24T22:30Z', '2026-10-25'],
    ['Pacific/Apia', '2011-12-30T10:00Z', '2011-12-30T09:00Z', '2011-12-29'],
  ]
  for (const [time_zone, change, before, day] of rows) {
    const calendar = new Calendar(time_zone)
    calendar.dayOf(Date.parse(change))
    assert.equal(formatDay(calendar.dayOf(Date.parse(before))), day, time_zone)
  }
})

const ZONES = [
  'UTC',
  'Africa/Casablanca',
  'America/New_York',
  'America/Sao_Paulo',
  'America/St_Johns',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Europe/Berlin',
  'Europe/London',
  'Pacific/Apia',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
]

/** Quarters of an hour around 1970, where it starts, in the years of the facts, and far ahead. */
const arbitraryInstant = fc.oneof(
  fc.integer({ min: Date.UTC(1960, 0), max: Date.UTC(2100, 0) }),
  fc
    .integer({ min: Date.UTC(2009, 0) / 900_000, max: Date.UTC(2030, 0) / 900_000 })
    .chain((quarter) => fc.constantFrom(quarter * 900_000 - 1, quarter * 900_000)),
)

test('Calendar.dayOf() and hourOf() agree with Temporal, in whatever order it is asked', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES),
      fc.array(arbitraryInstant, { minLength: 1, maxLength: 50 }),
      (time_zone, times_ms) => {
        const calendar = new Calendar(time_zone)
        for (const time_ms of times_ms) {
          const local = Temporal.Instant.fromEpochMilliseconds(time_ms).toZonedDateTimeISO(time_zone)
          assert.equal(formatDay(calendar.dayOf(time_ms)), local.toPlainDate().toString())
          assert.equal(hourOfDay(calendar.hourOf(time_ms)), local.hour)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('calendarOf() shows another day at the two ends of the earth', () => {
  const now = Temporal.Instant.from('2026-03-18T10:30:00Z')
  const days = ['Pacific/Pago_Pago', 'UTC', 'Pacific/Kiritimati'].map((zone) =>
    formatDay(calendarOf(zone).dayOf(now.epochMilliseconds)),
  )
  assert.deepEqual(days, ['2026-03-17', '2026-03-18', '2026-03-19'])
})

test('findTimeZone() knows the zones that a calendar can be made of, by the letters of the list', () => {
  for (const zone of ZONES) assert.equal(findTimeZone(zone.toLowerCase()), zone)
  for (const text of ['', 'Mars/Olympus_Mons', 'Berlin', 'GMT+25']) {
    assert.equal(findTimeZone(text), undefined, text)
    assert.throws(() => new Calendar(text), RangeError)
  }
})
