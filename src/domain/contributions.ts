import type { Counter } from './counter.ts'
import type { Day } from './day.ts'
import type { Hour } from './hour.ts'
import type { RegionClass } from './region.ts'
import type { Resolution, ResolvedClick, ResolvedMessage } from './resolution.ts'
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

/** Told what a thread adds: how much to which counter in which hour, and for a click its button. */
export type Count = (counter: Counter, hour: Hour, amount: bigint, btn_name: string | null) => void

/** All that a thread says, from its stored, resolved rows and nothing else (design 3, sentence 3). */
export function contributions(thread: Resolution): Contribution[] {
  const { region_class, country } = thread
  const counted: Contribution[] = []
  countThread(thread, (counter, hour, amount, btn_name) => {
    counted.push({ hour, counter, region_class, country, btn_name, amount })
  })
  return counted
}

/** The same, told one by one: a batch has some hundred thousand of them, and keeps none. */
export function countThread({ messages, clicks }: Resolution, count: Count): void {
  for (const message of messages) countMessage(message, count)
  if (clicks.length > 0) countClicks(messages, clicks, count)
}

function countMessage(message: ResolvedMessage, count: Count): void {
  const { sent_hour, delivered_hour, read_hour, resolved_price_micros: price } = message
  if (sent_hour !== null) {
    count('sent', sent_hour, 1n, null)
    count('sent_by_delivery', delivered_hour ?? sent_hour, 1n, null)
  }
  if (delivered_hour === null) return
  count('delivered', delivered_hour, 1n, null)
  if (price === null) count('unpriced', delivered_hour, 1n, null)
  else count('spend_micros', delivered_hour, price, null)
  if (read_hour !== null) {
    count('read', read_hour, 1n, null)
    count('read_by_delivery', delivered_hour, 1n, null)
  }
}

function countClicks(messages: readonly ResolvedMessage[], clicks: readonly ResolvedClick[], count: Count): void {
  const clicked = new Set<number>()
  for (const { hour, credited, btn_name } of clicks) {
    // A credited click proves delivery, so its message has the hour; an uncredited click stays in its own.
    const delivered_hour = credited === null ? hour : (messages[credited]?.delivered_hour ?? hour)
    count('link_btn_click', hour, 1n, btn_name)
    count('link_btn_click_by_delivery', delivered_hour, 1n, btn_name)
    if (credited === null || clicked.has(credited)) continue
    clicked.add(credited)
    count('link_btn_clicked', hour, 1n, null)
    count('link_btn_clicked_by_delivery', delivered_hour, 1n, null)
  }
}

/** What a thread says of failed deliveries; they never touch a message (design 3). */
export function failureContributions(failures: readonly Failure[], days: readonly Day[]): FailureContribution[] {
  return failures.map(({ error_message }, i) => ({ day: days[i] as Day, error_message }))
}
