import { type Counter, type Dating, datedBy } from './counter.ts'
import { divideHalfUp, formatMicros, MICROS_PER_UNIT } from './money.ts'
import { REGION_CLASSES, type RegionClass } from './region.ts'

/** Counts of one insights row: by counter and region class. */
export type Counts = (counter: Counter, region_class: RegionClass) => bigint

/** How a metric is made of counters; both parts of a ratio count the same region classes. */
export type Formula =
  | { readonly kind: 'count'; readonly counter: Counter }
  | { readonly kind: 'rate'; readonly counter: Counter; readonly over: Counter }
  | { readonly kind: 'spend' }
  | { readonly kind: 'cost'; readonly over: Counter }
  | { readonly kind: 'currency' }

/** A named number, or the currency, of an insights row. */
export interface Metric {
  /** Its name in `fields` and in the row, Meta's own. */
  readonly field: string
  readonly label: string
  readonly formula: Formula
  /** The region classes that `region_policy=documented` counts. */
  readonly region_classes: readonly RegionClass[]
  /** How the reference page says it, in a sentence. */
  readonly meaning: string
}

/** The values of our own parameter `region_policy`. */
export const REGION_POLICIES = ['documented', 'all'] as const

export type RegionPolicy = (typeof REGION_POLICIES)[number]

const EVERYONE = REGION_CLASSES
const NOT_A: readonly RegionClass[] = ['b', 'c']
const ONLY_C: readonly RegionClass[] = ['c']

/**
 * What each metric is (design 5). The parser, the SQL, the reference page, the terminal's headings and the answers
 * all read this table: a new metric is one row here and one section there.
 */
export const METRICS: readonly Metric[] = [
  {
    field: 'marketing_messages_sent',
    label: 'Sent',
    formula: { kind: 'count', counter: 'sent' },
    region_classes: NOT_A,
    meaning: 'Messages with a sent time.',
  },
  {
    field: 'marketing_messages_delivered',
    label: 'Delivered',
    formula: { kind: 'count', counter: 'delivered' },
    region_classes: NOT_A,
    meaning: 'Messages that were delivered, or were read or clicked, which proves it.',
  },
  {
    field: 'marketing_messages_delivery_rate',
    label: 'Delivery rate',
    formula: { kind: 'rate', counter: 'delivered', over: 'sent' },
    region_classes: NOT_A,
    meaning:
      'Delivered messages per hundred sent; "0" for a node that never had a sent fact, as in Meta\'s own sample.',
  },
  {
    field: 'marketing_messages_read',
    label: 'Read',
    formula: { kind: 'count', counter: 'read' },
    region_classes: NOT_A,
    meaning: 'Messages with a read time. Readers who switched read receipts off are never reported.',
  },
  {
    field: 'marketing_messages_read_rate',
    label: 'Read rate',
    formula: { kind: 'rate', counter: 'read', over: 'delivered' },
    region_classes: NOT_A,
    meaning: 'Read messages per hundred delivered.',
  },
  {
    field: 'marketing_messages_link_btn_click',
    label: 'Clicks',
    formula: { kind: 'count', counter: 'link_btn_click' },
    region_classes: ONLY_C,
    meaning: 'Taps on links, repeats included.',
  },
  {
    field: 'marketing_messages_link_btn_click_rate',
    label: 'Click rate',
    formula: { kind: 'rate', counter: 'link_btn_clicked', over: 'delivered' },
    region_classes: ONLY_C,
    meaning: 'Messages clicked at least once per hundred delivered.',
  },
  {
    field: 'marketing_messages_spend',
    label: 'Spend',
    formula: { kind: 'spend' },
    region_classes: EVERYONE,
    meaning: "The sum of the prices of delivered messages, in the account's currency.",
  },
  {
    field: 'marketing_messages_cost_per_delivered',
    label: 'Cost per delivered',
    formula: { kind: 'cost', over: 'delivered' },
    region_classes: NOT_A,
    meaning: 'Spend per delivered message.',
  },
  {
    field: 'marketing_messages_cost_per_link_btn_click',
    label: 'Cost per click',
    formula: { kind: 'cost', over: 'link_btn_click' },
    region_classes: ONLY_C,
    meaning: 'Spend per click.',
  },
  {
    field: 'marketing_messages_spend_currency',
    label: 'Currency',
    formula: { kind: 'currency' },
    region_classes: EVERYONE,
    meaning: "The account's currency, as its ISO 4217 code.",
  },
]

export const METRIC_BY_FIELD: ReadonlyMap<string, Metric> = new Map(METRICS.map((metric) => [metric.field, metric]))

/** What a metric is asked under. */
export interface Measure {
  readonly region_policy: RegionPolicy
  readonly dated_by: Dating
  readonly currency: string
  /** Whether the node ever had a sent fact, on any day and in any region. */
  readonly ever_sent: boolean
}

/**
 * The value of a metric as the wire has it, or `undefined` where there is nothing to say: a ratio over nothing, or
 * money while any delivered message of the row has no price (design 5).
 */
export function formatMetric(metric: Metric, counts: Counts, measure: Measure): string | undefined {
  const { formula } = metric
  const classes = classesOf(metric, measure.region_policy)
  const count = (counter: Counter) => sum(counts, datedBy(counter, measure.dated_by), classes)
  switch (formula.kind) {
    case 'count':
      return count(formula.counter).toString()
    case 'rate':
      if (formula.over === 'sent' && !measure.ever_sent) return '0'
      return formatRatio(count(formula.counter) * 100n * MICROS_PER_UNIT, count(formula.over))
    case 'spend':
      return isPriced(counts) ? formatMicros(count('spend_micros')) : undefined
    case 'cost':
      return isPriced(counts) ? formatRatio(count('spend_micros'), count(formula.over)) : undefined
    case 'currency':
      return measure.currency
  }
}

/** The counters that a metric is made of, in a dating: what a store has to sum to answer it. */
export function metricCounters(metric: Metric, dating: Dating): readonly Counter[] {
  return formulaCounters(metric.formula).map((counter) => datedBy(counter, dating))
}

/** A counter and the region classes in which it is counted. */
export interface CountedClasses {
  readonly counter: Counter
  readonly region_classes: readonly RegionClass[]
}

/** What `formatMetric` counts of a metric, and nothing else. */
export function metricCounts(metric: Metric, { region_policy, dated_by }: Omit<Measure, 'currency' | 'ever_sent'>) {
  const classes = classesOf(metric, region_policy)
  return metricCounters(metric, dated_by).map((counter): CountedClasses => {
    return { counter, region_classes: counter === 'unpriced' ? EVERYONE : classes }
  })
}

function classesOf(metric: Metric, region_policy: RegionPolicy): readonly RegionClass[] {
  return region_policy === 'all' ? EVERYONE : metric.region_classes
}

function formulaCounters(formula: Formula): readonly Counter[] {
  switch (formula.kind) {
    case 'count':
      return [formula.counter]
    case 'rate':
      return [formula.counter, formula.over]
    case 'spend':
      return ['spend_micros', 'unpriced']
    case 'cost':
      return ['spend_micros', 'unpriced', formula.over]
    case 'currency':
      return []
  }
}

function formatRatio(micros: bigint, over: bigint): string | undefined {
  return over === 0n ? undefined : formatMicros(divideHalfUp(micros, over))
}

function isPriced(counts: Counts): boolean {
  return sum(counts, 'unpriced', EVERYONE) === 0n
}

function sum(counts: Counts, counter: Counter, classes: readonly RegionClass[]): bigint {
  let total = 0n
  for (const region_class of classes) total += counts(counter, region_class)
  return total
}
