import type { Counter } from './counter.ts'
import type { Day } from './day.ts'
import type { RegionClass } from './region.ts'
import type { Resolution } from './resolution.ts'
import type { Failure } from './thread.ts'

/** What a thread adds to one counter on one day; negative in a difference that takes it back. */
export interface Contribution {
  readonly day: Day
  readonly counter: Counter
  readonly region_class: RegionClass
  readonly country: string | null
  readonly amount: bigint
}

/** What a thread adds to the count of one reason of failure on one day. */
export interface FailureContribution {
  readonly day: Day
  readonly error_message: string
  readonly amount: bigint
}

/** All that a thread says, from its stored, resolved rows and nothing else (design 3, sentence 3). */
export function contributions(thread: Resolution): Contribution[] {
  const { region_class, country } = thread
  const counted: Contribution[] = []
  const add = (day: Day, counter: Counter, amount = 1n) => counted.push({ day, counter, region_class, country, amount })

  for (const message of thread.messages) {
    const { sent_day, delivered_day, read_day, resolved_price_micros: price } = message
    if (sent_day !== null) {
      add(sent_day, 'sent')
      add(delivered_day ?? sent_day, 'sent_by_delivery')
    }
    if (delivered_day === null) continue
    add(delivered_day, 'delivered')
    if (price === null) add(delivered_day, 'unpriced')
    else add(delivered_day, 'spend_micros', price)
    if (read_day !== null) {
      add(read_day, 'read')
      add(delivered_day, 'read_by_delivery')
    }
  }

  const clicked = new Set<number>()
  for (const { day, credited } of thread.clicks) {
    // A credited click proves delivery, so its message has the day; an uncredited click stays on its own.
    const delivered_day = credited === null ? day : (thread.messages[credited]?.delivered_day ?? day)
    add(day, 'link_btn_click')
    add(delivered_day, 'link_btn_click_by_delivery')
    if (credited === null || clicked.has(credited)) continue
    clicked.add(credited)
    add(day, 'link_btn_clicked')
    add(delivered_day, 'link_btn_clicked_by_delivery')
  }
  return counted
}

/** What a thread says of failed deliveries; they never touch a message (design 3). */
export function failureContributions(failures: readonly Failure[], days: readonly Day[]): FailureContribution[] {
  return failures.map(({ error_message }, i) => ({ day: days[i] as Day, error_message, amount: 1n }))
}

/**
 * What has to be added to the rollups when a thread said `before` and now says `after`: the sum of it is
 * `contributions(after) - contributions(before)` (design 3, sentence 4). A new thread's come back as they are.
 */
export function difference(after: readonly Contribution[], before: readonly Contribution[]): Contribution[] {
  if (before.length === 0) return [...after]
  const sums = new Map<string, Contribution>()
  for (const contribution of after) addTo(sums, contribution, contribution.amount)
  for (const contribution of before) addTo(sums, contribution, -contribution.amount)
  return [...sums.values()].filter(({ amount }) => amount !== 0n)
}

/** The same for the counts of failures. */
export function failureDifference(
  after: readonly FailureContribution[],
  before: readonly FailureContribution[],
): FailureContribution[] {
  const sums = new Map<string, FailureContribution>()
  for (const { day, error_message, amount } of [...after, ...before.map(negated)]) {
    const key = `${day} ${error_message}`
    sums.set(key, { day, error_message, amount: (sums.get(key)?.amount ?? 0n) + amount })
  }
  return [...sums.values()].filter(({ amount }) => amount !== 0n)
}

function addTo(sums: Map<string, Contribution>, contribution: Contribution, amount: bigint): void {
  const { day, counter, region_class, country } = contribution
  const key = `${day} ${counter} ${region_class} ${country}`
  sums.set(key, { day, counter, region_class, country, amount: (sums.get(key)?.amount ?? 0n) + amount })
}

function negated(contribution: FailureContribution): FailureContribution {
  return { ...contribution, amount: -contribution.amount }
}
