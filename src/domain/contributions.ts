import type { Counter } from './counter.ts'
import type { Day } from './day.ts'
import type { RegionClass } from './region.ts'
import type { Resolution } from './resolution.ts'
import type { Failure } from './thread.ts'

/** What a thread adds to one counter on one day. */
export interface Contribution {
  readonly day: Day
  readonly counter: Counter
  readonly region_class: RegionClass
  readonly country: string | null
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
  return failures.map(({ error_message }, i) => ({ day: days[i] as Day, error_message }))
}
