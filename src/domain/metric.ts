import { type Counter, type Dating, datedBy } from './counter.ts'
import { formatMicros, formatRatio, MICROS_PER_UNIT } from './money.ts'
import { REGION_CLASSES, type RegionClass } from './region.ts'

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

/** How a request wants things counted. */
export interface Counting {
  readonly region_policy: RegionPolicy
  readonly dated_by: Dating
}

/** The counters that a metric is made of, in a dating. */
export function metricCounters(metric: Metric, dated_by: Dating): readonly Counter[] {
  return formulaCounters(metric.formula).map((counter) => datedBy(counter, dated_by))
}

/** A counter and the region classes in which it is counted. */
export interface CountedClasses {
  readonly counter: Counter
  readonly region_classes: readonly RegionClass[]
}

/** What a metric is made of, and so what a store has to sum to answer it. */
export function metricCounts(metric: Metric, { region_policy, dated_by }: Counting): readonly CountedClasses[] {
  const classes = region_policy === 'all' ? EVERYONE : metric.region_classes
  return metricCounters(metric, dated_by).map((counter) => {
    return { counter, region_classes: counter === 'unpriced' ? EVERYONE : classes }
  })
}

/** What is known of a row's node beside its counts. */
export interface RowFacts {
  readonly currency: string
  /** Whether the node ever had a sent fact, on any day and in any region. */
  readonly ever_sent: boolean
}

/** All of what a rate is of, in millionths of a percent. */
const WHOLE_MICROS = 100n * MICROS_PER_UNIT

/**
 * The value of a metric as the wire has it, or `undefined` where there is nothing to say: a ratio over nothing, or
 * money while any delivered message of the row has no price (design 5). The amounts are those of `metricCounts`, in its
 * order, each summed over its classes.
 */
export function formatMetric({ formula }: Metric, amounts: readonly bigint[], row: RowFacts): string | undefined {
  const [amount = 0n, second = 0n, third = 0n] = amounts
  switch (formula.kind) {
    case 'count':
      return amount.toString()
    case 'rate':
      if (formula.over === 'sent' && !row.ever_sent) return '0'
      return formatRatio(amount * WHOLE_MICROS, second)
    case 'spend':
      return second === 0n ? formatMicros(amount) : undefined
    case 'cost':
      return second === 0n ? formatRatio(amount, third) : undefined
    case 'currency':
      return row.currency
  }
}

/** In the order in which `formatMetric` takes their amounts. */
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
