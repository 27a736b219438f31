import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Calendar } from './calendar.ts'
import { DAY_MS, type Day, parseDay } from './day.ts'
import { RateCard } from './rate-card.ts'
import type { RegionClass } from './region.ts'
import { type Context, creditClick, EMPTY_RESOLUTION, resolve } from './resolution.ts'
import { type Click, EMPTY_THREAD, type Message, type Thread } from './thread.ts'

const CONTEXT: Context = { calendar: new Calendar('UTC'), rateCard: new RateCard([]), listed_country: null }

function message(tracking_id: string, known: Partial<Message>): Message {
  return { tracking_id, sent_at: null, delivered_at: null, read_at: null, mid: null, price_micros: null, ...known }
}

function click(at: number, mid: string | null): Click {
  return { at, mid, btn_name: null }
}

function threadOf(messages: Message[], clicks: Click[]): Thread {
  return { ...EMPTY_THREAD, messages, clicks }
}

test('creditClick() takes the message with the mid, else the latest not after the click, else the earliest', () => {
  const monday = message('t1', { sent_at: 10_000, mid: 'm1' })
  const tuesday = message('t2', { delivered_at: 20_750, mid: 'm2' })
  const again = message('t3', { read_at: 30_000, mid: 'm1' })
  const week = [monday, tuesday, again]
  const rows: [claim: string, click: Click, messages: Message[], credited: string | null][] = [
    ['nothing to credit', click(99_000, 'm1'), [], null],
    ['its mid', click(99_000, 'm2'), week, 't2'],
    ['its mid, though the message is later', click(1_000, 'm2'), week, 't2'],
    ['the earliest of two messages with its mid', click(99_000, 'm1'), week, 't1'],
    ['an unknown mid says nothing', click(25_000, 'm9'), week, 't2'],
    ['the latest before it', click(29_999, null), week, 't2'],
    ['the latest of all', click(99_000, null), week, 't3'],
    ['the same millisecond', click(30_000, null), week, 't3'],
    ['a message in milliseconds, a click of that second in seconds', click(20_000, null), week, 't2'],
    ['a click of the second before', click(19_999, null), week, 't1'],
    ['before every message', click(1_000, null), week, 't1'],
    ['before every message, in another order', click(1_000, null), [again, tuesday, monday], 't1'],
  ]
  for (const [claim, click, messages, credited] of rows) {
    const place = creditClick(click, messages)
    assert.equal(place === null ? null : messages[place]?.tracking_id, credited, claim)
  }
})

test('resolve() takes a read or a credited click for proof of a delivery that nobody reported', () => {
  const [sent_at, delivered_at, read_at] = [DAY_MS, 3 * DAY_MS, 5 * DAY_MS]
  const clickOn = (day: Day) => click(day * DAY_MS, null)
  const rows: [claim: string, known: Partial<Message>, clicks: Click[], delivered_day: Day | null][] = [
    ['sent is no proof', { sent_at }, [], null],
    ['reported', { sent_at, delivered_at }, [], 3],
    ['read', { sent_at, read_at }, [], 5],
    ['clicked', { sent_at }, [clickOn(6), clickOn(7)], 6],
    ['clicked, then read', { sent_at, read_at }, [clickOn(4)], 4],
    ['read, then clicked', { sent_at, read_at }, [clickOn(6)], 5],
    ['a report beats an earlier proof', { sent_at, delivered_at, read_at: 2 * DAY_MS }, [clickOn(2)], 3],
    ['a click before the message', { sent_at }, [clickOn(0)], 0],
  ]
  for (const [claim, known, clicks, delivered_day] of rows) {
    const { messages } = resolve(threadOf([message('t1', known)], clicks), CONTEXT)
    const delivered_hour = delivered_day === null ? null : delivered_day * 24
    assert.equal(messages[0]?.delivered_hour, delivered_hour, claim)
    assert.equal(messages[0]?.sent_hour, 24, claim)
  }
})

test('resolve() lets a click prove only the message that it is credited to', () => {
  const messages = [message('t1', { sent_at: DAY_MS }), message('t2', { sent_at: 2 * DAY_MS })]
  const resolution = resolve(threadOf(messages, [click(3 * DAY_MS, null)]), CONTEXT)
  assert.deepEqual(
    resolution.messages.map(({ delivered_hour }) => delivered_hour),
    [null, 3 * 24],
  )
  assert.deepEqual(resolution.clicks, [{ hour: 3 * 24, credited: 1, btn_name: null }])
})

test("resolve() takes days and hours from the account's time zone", () => {
  const at = Date.parse('2026-03-18T10:30:00Z')
  const thread: Thread = {
    ...threadOf([message('t1', { sent_at: at, delivered_at: at, read_at: at })], [click(at, null)]),
    failures: [{ at, error_message: 'away' }],
  }
  const rows: [time_zone: string, day: string, hour_of_day: number][] = [
    ['UTC', '2026-03-18', 10],
    ['Asia/Kathmandu', '2026-03-18', 16],
    ['Pacific/Kiritimati', '2026-03-19', 0],
    ['Pacific/Pago_Pago', '2026-03-17', 23],
  ]
  for (const [time_zone, text, hour_of_day] of rows) {
    const { messages, clicks, failures } = resolve(thread, { ...CONTEXT, calendar: new Calendar(time_zone) })
    const day = parseDay(text) as Day
    const hour = day * 24 + hour_of_day
    const resolved = { sent_hour: hour, delivered_hour: hour, read_hour: hour, resolved_price_micros: null }
    const clicked = { hour, credited: 0, btn_name: null }
    assert.deepEqual([messages, clicks, failures], [[resolved], [clicked], [day]], time_zone)
  }
})

test('resolve() believes a country that a fact names, then the subscriber list', () => {
  const rows: [named: string | null, listed: string | null, country: string | null, region_class: RegionClass][] = [
    ['DE', 'US', 'DE', 'a'],
    ['KR', null, 'KR', 'b'],
    [null, 'JP', 'JP', 'a'],
    [null, null, null, 'c'],
  ]
  for (const [named, listed_country, country, region_class] of rows) {
    const thread = { ...EMPTY_THREAD, country: named === null ? null : { value: named, at: 1 } }
    const resolution = resolve(thread, { ...CONTEXT, listed_country })
    assert.deepEqual(resolution, { ...EMPTY_RESOLUTION, country, region_class })
  }
})

test('resolve() prices a delivered message by its fact, else by the rate of its country on its delivery day', () => {
  const rateCard = new RateCard([
    { country: '*', valid_from: 0, price_micros: 1n },
    { country: 'BR', valid_from: 0, price_micros: 5n },
    { country: 'BR', valid_from: 3, price_micros: 7n },
  ])
  const explicit = { value: 0n, at: 1 }
  const rows: [claim: string, known: Partial<Message>, country: string | null, price: bigint | null][] = [
    ['undelivered', { sent_at: 1, price_micros: explicit }, 'BR', null],
    ['its fact, though it is free', { delivered_at: 1, price_micros: explicit }, 'BR', 0n],
    ['the day before the new rate', { delivered_at: 3 * DAY_MS - 1 }, 'BR', 5n],
    ['the day of the new rate', { delivered_at: 3 * DAY_MS }, 'BR', 7n],
    ['sent on the old rate, proved delivered on the new', { sent_at: 1, read_at: 3 * DAY_MS }, 'BR', 7n],
    ['a country without a rate', { delivered_at: 1 }, 'VN', 1n],
    ['an unknown country', { delivered_at: 1 }, null, 1n],
  ]
  for (const [claim, known, listed_country, price] of rows) {
    const context = { ...CONTEXT, rateCard, listed_country }
    const { messages } = resolve(threadOf([message('t1', known)], []), context)
    assert.equal(messages[0]?.resolved_price_micros, price, claim)
  }
})
