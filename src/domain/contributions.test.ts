import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Contribution,
  contributions,
  difference,
  failureContributions,
  failureDifference,
} from './contributions.ts'
import { EMPTY_RESOLUTION, type ResolvedClick, type ResolvedMessage } from './resolution.ts'

/** A message by its days, sent, delivered and read, and its price. */
function message(
  sent_day: number | null,
  delivered_day: number | null,
  read_day: number | null,
  resolved_price_micros: bigint | null,
): ResolvedMessage {
  return { sent_day, delivered_day, read_day, resolved_price_micros }
}

function click(day: number, credited: number | null): ResolvedClick {
  return { day, credited }
}

/** Sums as `day counter amount`, sorted. */
function summed(added: readonly Contribution[]): string {
  const sums = new Map<string, bigint>()
  for (const { day, counter, amount } of added) {
    sums.set(`${day} ${counter}`, (sums.get(`${day} ${counter}`) ?? 0n) + amount)
  }
  return [...sums]
    .map(([key, amount]) => `${key} ${amount}`)
    .sort()
    .join(', ')
}

test('contributions() counts each thing on its own day, and on the day of the delivery', () => {
  const rows: [claim: string, messages: ResolvedMessage[], clicks: ResolvedClick[], counted: string][] = [
    ['nothing', [], [], ''],
    ['sent, never delivered', [message(1, null, null, null)], [], '1 sent 1, 1 sent_by_delivery 1'],
    ['delivered, never sent, without a price', [message(null, 2, null, null)], [], '2 delivered 1, 2 unpriced 1'],
    [
      'sent, delivered, read',
      [message(1, 2, 4, 70n)],
      [],
      '1 sent 1, 2 delivered 1, 2 read_by_delivery 1, 2 sent_by_delivery 1, 2 spend_micros 70, 4 read 1',
    ],
    [
      'two clicks of one message, which was clicked once, on the day of the first',
      [message(null, 2, null, 0n)],
      [click(3, 0), click(4, 0)],
      '2 delivered 1, 2 link_btn_click_by_delivery 2, 2 link_btn_clicked_by_delivery 1, 2 spend_micros 0, ' +
        '3 link_btn_click 1, 3 link_btn_clicked 1, 4 link_btn_click 1',
    ],
    [
      'two messages of one day, a click each',
      [message(2, 2, null, 5n), message(2, 2, null, 7n)],
      [click(2, 1), click(3, 0)],
      '2 delivered 2, 2 link_btn_click 1, 2 link_btn_click_by_delivery 2, 2 link_btn_clicked 1, ' +
        '2 link_btn_clicked_by_delivery 2, 2 sent 2, 2 sent_by_delivery 2, 2 spend_micros 12, ' +
        '3 link_btn_click 1, 3 link_btn_clicked 1',
    ],
    [
      "a click that is nobody's: a click on its own day, and nothing more",
      [],
      [click(3, null)],
      '3 link_btn_click 1, 3 link_btn_click_by_delivery 1',
    ],
  ]
  for (const [claim, messages, clicks, counted] of rows) {
    assert.equal(summed(contributions({ ...EMPTY_RESOLUTION, messages, clicks })), counted, claim)
  }
})

test('contributions() stands in the class and the country of the thread', () => {
  const thread = { ...EMPTY_RESOLUTION, country: 'KR', region_class: 'b', messages: [message(1, 2, 3, 5n)] } as const
  const places = new Set(contributions(thread).map(({ region_class, country }) => `${region_class} ${country}`))
  assert.deepEqual([...places], ['b KR'])
})

test('difference() is what turns the sums of before into those of after', () => {
  const unknown = contributions({ ...EMPTY_RESOLUTION, messages: [message(1, 2, null, null)] })
  const priced = contributions({ ...EMPTY_RESOLUTION, messages: [message(1, 2, null, 5n)] })
  assert.deepEqual(difference(priced, priced), [])
  assert.equal(summed(difference(priced, [])), summed(priced))
  assert.equal(summed(difference(priced, unknown)), '2 spend_micros 5, 2 unpriced -1')
  const withdrawn = '1 sent -1, 2 delivered -1, 2 sent_by_delivery -1, 2 unpriced -1'
  assert.equal(summed(difference([], unknown)), withdrawn)
})

test('difference() moves what a thread says to its new class and country', () => {
  const thread = { ...EMPTY_RESOLUTION, messages: [message(null, 2, null, 5n)] }
  const moved = difference(
    contributions({ ...thread, country: 'KR', region_class: 'b' }),
    contributions({ ...thread, country: 'US' }),
  )
  const lines = moved.map(
    ({ region_class, country, counter, amount }) => `${region_class} ${country} ${counter} ${amount}`,
  )
  assert.deepEqual(lines.sort(), [
    'b KR delivered 1',
    'b KR spend_micros 5',
    'c US delivered -1',
    'c US spend_micros -5',
  ])
})

test('failureDifference() counts failures by day and reason', () => {
  const failures = [
    { at: 1, error_message: 'away' },
    { at: 2, error_message: 'away' },
    { at: 3, error_message: 'blocked' },
  ]
  const after = failureContributions(failures, [5, 5, 6])
  const before = failureContributions(failures.slice(0, 1), [4])
  assert.deepEqual(failureDifference(after, after), [])
  assert.deepEqual(failureDifference(after, before), [
    { day: 5, error_message: 'away', amount: 2n },
    { day: 6, error_message: 'blocked', amount: 1n },
    { day: 4, error_message: 'away', amount: -1n },
  ])
})
