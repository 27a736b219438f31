import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Contribution } from '../domain/contributions.ts'
import type { Resolution } from '../domain/resolution.ts'
import { CELL_BREAKDOWN_NAMES, CELL_BREAKDOWNS, ROLLUP_COLUMNS, RollupCells } from './rollup-cells.ts'

const DELIVERED: Contribution = {
  hour: 5 * 24 + 9,
  counter: 'delivered',
  region_class: 'c',
  country: 'US',
  btn_name: null,
  amount: 1n,
}

/** Every amount that is not zero as a line of text. */
function linesOf(cells: RollupCells): string[] {
  return [...cells.days()].flatMap(({ account, ad, day, amounts, broken_down }) => {
    const own = amountsOf(ROLLUP_COLUMNS, amounts).map((amount) => `${account}/${ad} ${day} ${amount}`)
    const byValue = CELL_BREAKDOWN_NAMES.flatMap((breakdown) =>
      [...broken_down[breakdown]].flatMap(([value, ofValue]) =>
        amountsOf(CELL_BREAKDOWNS[breakdown], ofValue).map((amount) => `${account}/${ad} ${day} ${value} ${amount}`),
      ),
    )
    return [...own, ...byValue]
  })
}

function amountsOf(names: readonly string[], amounts: readonly bigint[]): string[] {
  return names.flatMap((name, i) => (amounts[i] === 0n ? [] : [`${name} ${amounts[i]}`]))
}

test("add() counts in the ad's cells of day, country and hour; ofAccounts() sums them for the accounts' own", () => {
  const cells = new RollupCells()
  cells.add(1, 7, DELIVERED)
  cells.add(1, 8, { ...DELIVERED, country: null })
  cells.add(2, 9, { ...DELIVERED, counter: 'spend_micros', region_class: 'a', amount: 2n ** 60n })
  assert.deepEqual(
    [...linesOf(cells), ...linesOf(cells.ofAccounts())],
    [
      '1/7 5 delivered_c 1',
      '1/7 5 US delivered 1',
      '1/7 5 9 delivered_c 1',
      '1/8 5 delivered_c 1',
      '1/8 5 unknown delivered 1',
      '1/8 5 9 delivered_c 1',
      '2/9 5 spend_micros_a 1152921504606846976',
      '2/9 5 US spend_micros 1152921504606846976',
      '2/9 5 9 spend_micros_a 1152921504606846976',
      '1/0 5 delivered_c 2',
      '1/0 5 US delivered 1',
      '1/0 5 unknown delivered 1',
      '1/0 5 9 delivered_c 2',
      '2/0 5 spend_micros_a 1152921504606846976',
      '2/0 5 US spend_micros 1152921504606846976',
      '2/0 5 9 spend_micros_a 1152921504606846976',
    ],
  )
})

test('add() counts a click under its button, too', () => {
  const cells = new RollupCells()
  cells.add(1, 7, { ...DELIVERED, counter: 'link_btn_click_by_delivery', btn_name: 'Buy now' })
  assert.deepEqual(
    linesOf(cells).filter((line) => line.includes('Buy now')),
    ['1/7 5 Buy now link_btn_click_by_delivery_c 1'],
  )
})

test('subtractThread() takes back what addThread() counted, so that a thread that moves leaves nothing behind', () => {
  const cells = new RollupCells()
  const message = { sent_hour: null, delivered_hour: 5 * 24 + 9, read_hour: null, resolved_price_micros: 0n }
  const here: Resolution = { country: 'US', region_class: 'c', messages: [message], clicks: [], failures: [] }
  const there: Resolution = { ...here, country: 'KR', region_class: 'b' }
  cells.addThread(1, 7, there)
  cells.subtractThread(1, 7, here)
  assert.deepEqual(linesOf(cells), [
    '1/7 5 delivered_b 1',
    '1/7 5 delivered_c -1',
    '1/7 5 KR delivered 1',
    '1/7 5 US delivered -1',
    '1/7 5 9 delivered_b 1',
    '1/7 5 9 delivered_c -1',
  ])
  cells.addThread(1, 7, here)
  cells.subtractThread(1, 7, there)
  assert.deepEqual(linesOf(cells), [])
})

test('addFailure() counts by day and reason', () => {
  const cells = new RollupCells()
  const away = { day: 5, error_message: 'away' }
  for (const amount of [1n, 1n, -1n]) cells.addFailure(1, 7, away, amount)
  cells.addFailure(1, 8, away, 1n)
  assert.deepEqual(
    [...cells.failures(), ...cells.ofAccounts().failures()].map(({ ad, failed }) => `${ad} ${failed}`),
    ['7 1', '8 1', '0 2'],
  )
})
