/**
 * What a rollup cell counts. Those `…_by_delivery` count the same things on the day on which their message was
 * delivered; `delivered`, `spend_micros` and `unpriced` fall on that day in either dating (design 5).
 */
export const COUNTERS = [
  'sent',
  'delivered',
  'read',
  'link_btn_click',
  /** Messages clicked at least once, on the day of their first click. */
  'link_btn_clicked',
  'spend_micros',
  /** Delivered messages without a price. */
  'unpriced',
  'sent_by_delivery',
  'read_by_delivery',
  'link_btn_click_by_delivery',
  'link_btn_clicked_by_delivery',
] as const

export type Counter = (typeof COUNTERS)[number]

/** The values of our own parameter `dated_by`: the day of the event itself, or of its message's delivery. */
export const DATINGS = ['event', 'delivery'] as const

export type Dating = (typeof DATINGS)[number]

const BY_DELIVERY: Partial<Record<Counter, Counter>> = {
  sent: 'sent_by_delivery',
  read: 'read_by_delivery',
  link_btn_click: 'link_btn_click_by_delivery',
  link_btn_clicked: 'link_btn_clicked_by_delivery',
}

/** The counter that holds the same things in a dating. */
export function datedBy(counter: Counter, dating: Dating): Counter {
  return dating === 'event' ? counter : (BY_DELIVERY[counter] ?? counter)
}
