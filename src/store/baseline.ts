import { deflateRawSync, inflateRawSync } from 'node:zlib'
import {
  type Contribution,
  contributions,
  type FailureContribution,
  failureContributions,
} from '../domain/contributions.ts'
import type { RollupCells } from './rollup-cells.ts'
import type { StoredThread } from './threads.ts'

/** What threads contribute to one counter, hour by hour. */
interface HourlyContributions extends Omit<Contribution, 'hour' | 'amount'> {
  readonly hours: readonly number[]
  /** Of each of the hours; texts, since JSON has no bigint. */
  readonly amounts: readonly string[]
}

/** What threads of one ad contribute together. */
interface Baseline {
  readonly contributions: readonly HourlyContributions[]
  readonly failures: readonly FailureContribution[]
}

/**
 * Sums what threads of one ad contribute, as compressed JSON. It is kept as it was contributed, and not as cells of the
 * rollups: some ten to eighteen bytes a message, where cells of small ads would take more than the threads did.
 */
export function packThreads(threads: readonly StoredThread[]): Uint8Array {
  const baseline: Baseline = {
    contributions: sumByHour(threads.flatMap(({ resolution }) => contributions(resolution))),
    failures: threads.flatMap(({ facts, resolution }) => failureContributions(facts.failures, resolution.failures)),
  }
  return deflateRawSync(JSON.stringify(baseline))
}

/** Adds what was packed to the cells of its ad. */
export function addPacked(cells: RollupCells, account: number, ad: number, packed: Uint8Array): void {
  const baseline = JSON.parse(inflateRawSync(packed).toString()) as Baseline
  for (const { hours, amounts, ...what } of baseline.contributions) {
    for (const [i, hour] of hours.entries()) {
      cells.add(account, ad, { ...what, hour, amount: BigInt(amounts[i] as string) })
    }
  }
  for (const failure of baseline.failures) cells.addFailure(account, ad, failure, 1n)
}

function sumByHour(all: readonly Contribution[]): HourlyContributions[] {
  const kinds = Map.groupBy(all, ({ counter, region_class, country, btn_name }) =>
    JSON.stringify([counter, region_class, country, btn_name]),
  )
  return [...kinds.values()].map((ofKind) => {
    const { hour: _, amount: __, ...what } = ofKind[0] as Contribution
    const sums = new Map<number, bigint>()
    for (const { hour, amount } of ofKind) sums.set(hour, (sums.get(hour) ?? 0n) + amount)
    // In their order, hours compress to a half.
    const byHour = [...sums].sort(([a], [b]) => a - b)
    return { ...what, hours: byHour.map(([hour]) => hour), amounts: byHour.map(([, amount]) => String(amount)) }
  })
}
