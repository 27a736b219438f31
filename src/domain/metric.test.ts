import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Counter } from './counter.ts'
import {
  type Counting,
  formatMetric,
  METRIC_BY_FIELD,
  METRICS,
  metricCounters,
  metricCounts,
  type RowFacts,
} from './metric.ts'
import { REGION_CLASSES, type RegionClass } from './region.ts'

/** Counts of one row, by counter and region class. */
type Counts = (counter: Counter, region_class: RegionClass) => bigint

type Measure = Counting & RowFacts

/** Counts in the classes A, B and C. */
type ByClass = readonly [a: bigint, b: bigint, c: bigint]

function countsOf(counts: Partial<Record<Counter, ByClass>>): Counts {
  return (counter, region_class) => counts[counter]?.[REGION_CLASSES.indexOf(region_class)] ?? 0n
}

const MEASURE: Measure = { region_policy: 'documented', dated_by: 'event', currency: 'BRL', ever_sent: true }

/** What of a row begins with `marketing_messages_`, which its keys here leave out. */
function formatted(counts: Counts, measure: Partial<Measure> = {}): Record<string, string> {
  const asked = { ...MEASURE, ...measure }
  const values = METRICS.map((metric) => {
    const amounts = metricCounts(metric, asked).map(({ counter, region_classes }) =>
      region_classes.reduce((sum, name) => sum + counts(counter, name), 0n),
    )
    return [metric.field.replace('marketing_messages_', ''), formatMetric(metric, amounts, asked)]
  })
  return Object.fromEntries(values.filter(([, value]) => value !== undefined))
}

/** No two sums over classes are alike, and no two ratios. */
const WORLD = countsOf({
  sent: [100n, 20n, 5n],
  delivered: [75n, 17n, 3n],
  read: [19n, 9n, 1n],
  link_btn_click: [7n, 5n, 4n],
  link_btn_clicked: [3n, 2n, 1n],
  spend_micros: [1_000_000n, 500_000n, 60_000n],
})

test('formatMetric() counts the classes of the design, and everyone under region_policy=all', () => {
  const rows: [field: string, classes: string, documented: string, all: string][] = [
    ['sent', 'b c', '25', '125'],
    ['delivered', 'b c', '20', '95'],
    ['delivery_rate', 'b c', '80', '76'],
    ['read', 'b c', '10', '29'],
    ['read_rate', 'b c', '50', '30.526316'],
    ['link_btn_click', 'c', '4', '16'],
    ['link_btn_click_rate', 'c', '33.333333', '6.315789'],
    ['spend', 'a b c', '1.56', '1.56'],
    ['cost_per_delivered', 'b c', '0.028', '0.016421'],
    ['cost_per_link_btn_click', 'c', '0.015', '0.0975'],
    ['spend_currency', 'a b c', 'BRL', 'BRL'],
  ]
  const documented = formatted(WORLD)
  const all = formatted(WORLD, { region_policy: 'all' })
  assert.deepEqual(
    Object.keys(documented),
    rows.map(([field]) => field),
  )
  for (const [field, classes, ofDocumented, ofAll] of rows) {
    assert.equal(METRIC_BY_FIELD.get(`marketing_messages_${field}`)?.region_classes.join(' '), classes, field)
    assert.deepEqual([documented[field], all[field]], [ofDocumented, ofAll], field)
  }
})

test('formatMetric() gives the documented sample to the digit', () => {
  const sample = countsOf({
    delivered: [0n, 0n, 2755n],
    read: [0n, 0n, 2188n],
    link_btn_click: [0n, 0n, 268n],
    link_btn_clicked: [0n, 0n, 268n],
    spend_micros: [0n, 0n, 38_870_000n],
  })
  assert.deepEqual(formatted(sample, { ever_sent: false, currency: 'USD' }), {
    sent: '0',
    delivered: '2755',
    delivery_rate: '0',
    read: '2188',
    read_rate: '79.419238',
    link_btn_click: '268',
    link_btn_click_rate: '9.727768',
    spend: '38.87',
    cost_per_delivered: '0.014109',
    cost_per_link_btn_click: '0.145037',
    spend_currency: 'USD',
  })
})

test('formatMetric() leaves a ratio over nothing out, and prints counts of nothing as "0"', () => {
  const nothing = { sent: '0', delivered: '0', read: '0', link_btn_click: '0', spend: '0', spend_currency: 'BRL' }
  assert.deepEqual(formatted(countsOf({})), nothing)
  // Only class A: there is spend, and nobody whom the other metrics count.
  const europe = countsOf({ sent: [2n, 0n, 0n], delivered: [1n, 0n, 0n], spend_micros: [5n, 0n, 0n] })
  assert.deepEqual(formatted(europe), { ...nothing, spend: '0.000005' })
})

test('formatMetric() says delivery_rate "0" only of a node that never had a sent fact', () => {
  const rows: [sent: bigint, delivered: bigint, ever_sent: boolean, delivery_rate: string | undefined][] = [
    [0n, 7n, false, '0'],
    [0n, 0n, false, '0'],
    [0n, 7n, true, undefined],
    [7n, 0n, true, '0'],
    // A rate over a short range: what was sent before is delivered now.
    [2n, 7n, true, '350'],
  ]
  for (const [sent, delivered, ever_sent, delivery_rate] of rows) {
    const counts = countsOf({ sent: [0n, 0n, sent], delivered: [0n, 0n, delivered] })
    assert.equal(formatted(counts, { ever_sent }).delivery_rate, delivery_rate, `${delivered} of ${sent}`)
  }
})

test('formatMetric() leaves money out while any delivered message of the row has no price', () => {
  const unpricedOf: ByClass[] = [
    [1n, 0n, 0n],
    [0n, 1n, 0n],
    [0n, 0n, 1n],
  ]
  const { spend, cost_per_delivered, cost_per_link_btn_click, ...unmoneyed } = formatted(WORLD)
  assert.ok(spend !== undefined && cost_per_delivered !== undefined && cost_per_link_btn_click !== undefined)
  for (const unpriced of unpricedOf) {
    const counts: Counts = (counter, name) =>
      counter === 'unpriced' ? countsOf({ unpriced })(counter, name) : WORLD(counter, name)
    assert.deepEqual(formatted(counts), unmoneyed)
  }
})

test('formatMetric() keeps every digit of sums past 2^53', () => {
  const dong = countsOf({ delivered: [0n, 0n, 3n], spend_micros: [0n, 0n, 9_007_199_254_740_993_000_001n] })
  const { spend, cost_per_delivered } = formatted(dong)
  assert.deepEqual([spend, cost_per_delivered], ['9007199254740993.000001', '3002399751580331'])
})

test('dated_by=delivery counts what is dated by its delivery', () => {
  const rows: [field: string, counters: Counter[]][] = [
    ['sent', ['sent_by_delivery']],
    ['delivered', ['delivered']],
    ['delivery_rate', ['delivered', 'sent_by_delivery']],
    ['read', ['read_by_delivery']],
    ['read_rate', ['read_by_delivery', 'delivered']],
    ['link_btn_click', ['link_btn_click_by_delivery']],
    ['link_btn_click_rate', ['link_btn_clicked_by_delivery', 'delivered']],
    ['spend', ['spend_micros', 'unpriced']],
    ['cost_per_delivered', ['spend_micros', 'unpriced', 'delivered']],
    ['cost_per_link_btn_click', ['spend_micros', 'unpriced', 'link_btn_click_by_delivery']],
    ['spend_currency', []],
  ]
  assert.equal(rows.length, METRICS.length)
  for (const [i, [field, counters]] of rows.entries()) {
    const metric = METRICS[i]
    assert.ok(metric !== undefined && metric.field === `marketing_messages_${field}`)
    assert.deepEqual(metricCounters(metric, 'delivery'), counters, field)
    const counts = metricCounts(metric, { ...MEASURE, dated_by: 'delivery' })
    assert.deepEqual(
      counts.map(({ counter }) => counter),
      counters,
      field,
    )
  }
})
