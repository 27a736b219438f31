import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Contribution, contributions, failureContributions } from './contributions.ts'
import { EMPTY_RESOLUTION, type ResolvedClick, type ResolvedMessage } from './resolution.ts'

/** A message by its hours, sent, delivered and read, and its price. */
function message(
  sent_hour: number | null,
  delivered_hour: number | null,
  read_hour: number | null,
  resolved_price_micros: bigint | null,
): ResolvedMessage {
  return { sent_hour, delivered_hour, read_hour, resolved_price_micros }
}

function click(hour: number, credited: number | null, btn_name: string | null = null): ResolvedClick {
  return { hour, credited, btn_name }
}

/** Sums as `hour counter amount`, sorted. */
function summed(added: readonly Contribution[]): string {
  const sums = new Map<string, bigint>()
  for (const { hour, counter, amount } of added) {
    sums.set(`${hour} ${counter}`, (sums.get(`${hour} ${counter}`) ?? 0n) + amount)
  }
  return [...sums]
    .map(([key, amount]) => `${key} ${amount}`)
    .sort()
    .join(', ')
}

test('contributions() counts each thing in its own hour, and in the hour of the delivery', () => {
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
      'two clicks of one message, which was clicked once, in the hour of the first',
      [message(null, 2, null, 0n)],
      [click(3, 0), click(4, 0)],
      '2 delivered 1, 2 link_btn_click_by_delivery 2, 2 link_btn_clicked_by_delivery 1, 2 spend_micros 0, ' +
        '3 link_btn_click 1, 3 link_btn_clicked 1, 4 link_btn_click 1',
    ],
    [
      'two messages of one hour, a click each',
      [message(2, 2, null, 5n), message(2, 2, null, 7n)],
      [click(2, 1), click(3, 0)],
      '2 delivered 2, 2 link_btn_click 1, 2 link_btn_click_by_delivery 2, 2 link_btn_clicked 1, ' +
        '2 link_btn_clicked_by_delivery 2, 2 sent 2, 2 sent_by_delivery 2, 2 spend_micros 12, ' +
        '3 link_btn_click 1, 3 link_btn_clicked 1',
    ],
    [
      "a click that is nobody's: a click in its own hour, and nothing more",
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

test('contributions() names the button of the clicks, and of nothing that is counted by message', () => {
  const thread = { ...EMPTY_RESOLUTION, messages: [message(1, 2, 3, 5n)], clicks: [click(4, 0, 'Buy'), click(5, 0)] }
  const named = contributions(thread).filter(({ btn_name }) => btn_name !== null)
  assert.deepEqual(
    named.map(({ hour, counter, btn_name }) => `${hour} ${counter} ${btn_name}`),
    ['4 link_btn_click Buy', '2 link_btn_click_by_delivery Buy'],
  )
})

test('failureContributions() stands each failure on its day', () => {
  const failures = [
    { at: 1, error_message: 'away' },
    { at: 3, error_message: 'blocked' },
  ]
  assert.deepEqual(failureContributions(failures, [5, 6]), [
    { day: 5, error_message: 'away' },
    { day: 6, error_message: 'blocked' },
  ])
})
