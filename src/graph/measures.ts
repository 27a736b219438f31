import { type Counter, datedBy } from '../domain/counter.ts'
import { type CountedClasses, METRIC_BY_FIELD, type Metric, metricCounters, metricCounts } from '../domain/metric.ts'
import { REGION_CLASSES } from '../domain/region.ts'
import type { RollupColumn } from '../store/rollup-cells.ts'
import { isCounted } from './breakdown.ts'
import type { InsightsQuery } from './insights-parameters.ts'

/** A metric, and where its amounts stand among the sums of a row. */
export interface PlacedMetric {
  readonly metric: Metric
  /** For each of its `metricCounts`, the places of the columns that are added up. */
  readonly places: readonly (readonly number[])[]
}

/** What the rows of a query are measured by. */
export interface Measures {
  /** The columns to sum; the sums of a row stand in their order. */
  readonly columns: readonly RollupColumn[]
  /** By field; without those that the rows of the query's breakdown do not count. */
  readonly metrics: ReadonlyMap<string, PlacedMetric>
  /** Whether a metric depends on whether anything was ever sent. */
  readonly asks_ever_sent: boolean
  /** The places of what tells that a row has anything, where that there is a cell does not; else `undefined`. */
  readonly telling: readonly number[] | undefined
}

/** What tells that anything is dated into a slice by delivery. */
const DELIVERY_DATED: readonly Counter[] = ['delivered', 'sent_by_delivery', 'link_btn_click_by_delivery']

/** What tells the same of a button by the event: its cells have what was delivered on a day and clicked on another, too. */
const CLICKED: readonly Counter[] = ['link_btn_click']

/** A query comes with many nodes: its measures serve them all, and so does the statement that sums its columns. */
const known = new WeakMap<InsightsQuery, Measures>()

/** What has to be summed for a query, of each metric its counters in the classes that it counts, and what becomes of it. */
export function measuresOf(query: InsightsQuery): Measures {
  let measures = known.get(query)
  if (measures === undefined) {
    measures = placeMetrics(query)
    known.set(query, measures)
  }
  return measures
}

function placeMetrics(query: InsightsQuery): Measures {
  const { fields, summary = [], sort, filters, dated_by, breakdown } = query
  const names = [...fields, ...summary, ...(sort ? [sort.field] : []), ...filters.map(({ field }) => field)]
  const metrics = names.flatMap((name) => METRIC_BY_FIELD.get(name) ?? [])
  const ofButtons = breakdown === 'marketing_messages_btn_name' ? CLICKED : []
  const tellers = dated_by === 'event' ? ofButtons : DELIVERY_DATED
  const telling = tellers.map((counter) => ({ counter, region_classes: REGION_CLASSES }))
  const counts = [...metrics.flatMap((metric) => metricCounts(metric, query)), ...telling]
  const columns = [...new Set(counts.flatMap(columnsOf))]
  const placesOf = (counted: CountedClasses) => columnsOf(counted).map((column) => columns.indexOf(column))
  const counted = metrics.filter((metric) => isCounted(breakdown, metricCounters(metric, dated_by)))
  const placed = counted.map((metric): [string, PlacedMetric] => {
    return [metric.field, { metric, places: metricCounts(metric, query).map(placesOf) }]
  })
  return {
    columns,
    metrics: new Map(placed),
    asks_ever_sent: columns.includes(`${datedBy('sent', dated_by)}_c`),
    telling: telling.length === 0 ? undefined : telling.flatMap(placesOf),
  }
}

function columnsOf({ counter, region_classes }: CountedClasses): RollupColumn[] {
  return region_classes.map((region_class): RollupColumn => `${counter}_${region_class}`)
}
