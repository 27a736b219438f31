import type { Counter } from './counter.ts'
import type { Day } from './day.ts'
import type { Hour } from './hour.ts'
import type { RegionClass } from './region.ts'
import type { Resolution } from './resolution.ts'
import type { Failure } from './thread.ts'

/** What a thread adds to one counter in one hour. */
export interface Contribution {
  readonly hour: Hour
  readonly counter: Counter
  readonly region_class: RegionClass
  readonly country: string | null
  /** The button that was clicked, where this counts a click and a fact named it. */
  readonly btn_name: string | null
  readonly amount: bigint
}

/** One failure that a thread adds to the count of its reason on its day. */
export interface FailureContribution {
  readonly day: Day
  readonly error_message: string
}

/** All that a thread says, from its stored, resolved rows and nothing else (design 3, sentence 3). */
export function contributions(thread: Resolution): Contribution[] {
  const { region_class, country } = thread
  const counted: Contribution[] = []
  const add = (hour: Hour, counter: Counter, amount = 1n, btn_name: string | null = null) =>
    counted.push({ hour, counter, region_class, country, btn_name, amount })

  for (const message of thread.messages) {
    const { sent_hour, delivered_hour, read_hour, resolved_price_micros: price } = message
    if (sent_hour !== null) {
      add(sent_hour, 'sent')
      add(delivered_hour ?? sent_hour, 'sent_by_delivery')
    }
    if (delivered_hour === null) continue
    add(delivered_hour, 'delivered')
    if (price === null) add(delivered_hour, 'unpriced')
    else add(delivered_hour, 'spend_micros', price)
    if (read_hour !== null) {
      add(read_hour, 'read')
      add(delivered_hour, 'read_by_delivery')
    }
  }

  const clicked = new Set<number>()
  for (const { hour, credited, btn_name } of thread.clicks) {
    // A credited click proves delivery, so its message has the hour; an uncredited click stays in its own.
    const delivered_hour = credited === null ? hour : (thread.messages[credited]?.delivered_hour ?? hour)
    add(hour, 'link_btn_click', 1n, btn_name)
    add(delivered_hour, 'link_btn_click_by_delivery', 1n, btn_name)
    if (credited === null || clicked.has(credited)) continue
    clicked.add(credited)
    add(hour, 'link_btn_clicked')
    add(delivered_hour, 'link_btn_clicked_by_delivery')
  }
  return counted
}

/** What a thread says of failed deliveries; they never touch a message (design 3). */
export function failureContributions(failures: readonly Failure[], days: readonly Day[]): FailureContribution[] {
  return failures.map(({ error_message }, i) => ({ day: days[i] as Day, error_message }))
}
