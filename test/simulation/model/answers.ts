import type { Counted } from '../../model.ts'
import { BUTTON, HOURLY, type Preset, type Question } from '../plan/question.ts'
import { ACCOUNTS } from '../plan/universe.ts'
import type { Expected } from './expected.ts'

export type Row = Readonly<Record<string, string>>

/** What a question's node is, and which ads stand under each object of its level. */
interface Scope {
  readonly account_id: string
  readonly ad_ids: ReadonlySet<string>
  /** The object that an ad belongs to. */
  readonly objectOf: (ad_id: string) => string
}

/**
 * The rows that an answer should have, in any order, from what the naive model counted; `undefined` where there is no
 * such node. By the words of the reference pages, with nothing of the domain's or the Graph room's own code.
 */
export function answerNaively(
  question: Question,
  counted: readonly Counted[],
  expected: Expected,
  now_ms: number,
): Row[] | undefined {
  const scope = scopeOf(question, expected)
  if (scope === undefined) return undefined
  const own = counted.filter(({ ad_id, amount }) => scope.ad_ids.has(ad_id) && amount !== 0n)
  const today = Temporal.Instant.fromEpochMilliseconds(now_ms)
    .toZonedDateTimeISO(expected.timeZoneOf(scope.account_id))
    .toPlainDate()
  const range = rangeOf(question.dates, today, own)
  if (range === undefined) return []
  const slices = slicesOf(range, question.time_increment)
  const currency = ACCOUNTS.find(({ account_id }) => account_id === scope.account_id)?.currency ?? ''

  const rows = Map.groupBy(
    own.filter(({ day, counter }) => day >= range.since && day <= range.until && isAsked(counter, question)),
    (one) => JSON.stringify([scope.objectOf(one.ad_id), sliceOf(slices, one.day), breakdownValue(one, question)]),
  )
  return [...rows].flatMap(([key, within]) => {
    const [object, slice, value] = JSON.parse(key) as [string, Range, string | null]
    if (question.dated_by === 'delivery' && !within.some(({ counter }) => DATED_BY_DELIVERY.includes(counter)))
      return []
    const wasSent = own.some((one) => one.counter === 'sent' && scope.objectOf(one.ad_id) === object)
    const metrics = question.breakdown === BUTTON ? clicksOf(within, question) : metricsOf(within, question, wasSent)
    return [
      {
        ...metrics,
        marketing_messages_spend_currency: currency,
        [`${question.level}_id`]: object,
        date_start: slice.since,
        date_stop: slice.until,
        ...(question.breakdown !== undefined && { [question.breakdown]: value ?? 'unknown' }),
      },
    ]
  })
}

const DATED_BY_DELIVERY: readonly string[] = ['delivered', 'sent_by_delivery', 'link_btn_click_by_delivery']

/** Rows by button are of what was clicked, as the question dates it. */
function isAsked(counter: string, { breakdown, dated_by }: Question): boolean {
  return breakdown !== BUTTON || counter === (dated_by === 'event' ? 'link_btn_click' : 'link_btn_click_by_delivery')
}

function scopeOf({ node, level }: Question, expected: Expected): Scope | undefined {
  const isOf = (ad: Expected['ads'][number]) =>
    `act_${ad.account_id}` === node || [ad.campaign_id, ad.adset_id, ad.ad_id].includes(node)
  const ads = expected.ads.filter(isOf)
  const account_id = node.startsWith('act_') ? node.slice('act_'.length) : ads[0]?.account_id
  if (account_id === undefined) return undefined
  const objects = new Map(ads.map((ad) => [ad.ad_id, ad[`${level}_id`]]))
  return { account_id, ad_ids: new Set(objects.keys()), objectOf: (ad_id) => objects.get(ad_id) ?? '' }
}

interface Range {
  readonly since: string
  readonly until: string
}

function rangeOf(dates: Question['dates'], today: Temporal.PlainDate, own: readonly Counted[]): Range | undefined {
  if (typeof dates !== 'string') return dates
  const days = own.map(({ day }) => day).sort()
  return presetRange(dates, today, days[0], days.at(-1))
}

function presetRange(
  preset: Preset,
  today: Temporal.PlainDate,
  first: string | undefined,
  last: string | undefined,
): Range | undefined {
  const range = (since: Temporal.PlainDate, until: Temporal.PlainDate) => ({ since: `${since}`, until: `${until}` })
  const ago = (days: number) => today.subtract({ days })
  const monthStart = today.with({ day: 1 })
  switch (preset) {
    case 'today':
      return range(today, today)
    case 'yesterday':
      return range(ago(1), ago(1))
    case 'last_3d':
      return range(ago(3), ago(1))
    case 'last_7d':
      return range(ago(7), ago(1))
    case 'last_30d':
      return range(ago(30), ago(1))
    case 'this_month':
      return range(monthStart, today)
    case 'last_month':
      return range(monthStart.subtract({ months: 1 }), monthStart.subtract({ days: 1 }))
    case 'this_week_mon_today':
      return range(ago(today.dayOfWeek - 1), today)
    case 'maximum':
      return first === undefined ? undefined : { since: first, until: first > `${today}` ? first : `${today}` }
    case 'data_maximum':
      return first === undefined || last === undefined ? undefined : { since: first, until: last }
  }
}

function slicesOf({ since, until }: Range, increment: Question['time_increment']): Range[] {
  if (increment === 'all_days') return [{ since, until }]
  const slices: Range[] = []
  for (let start = Temporal.PlainDate.from(since); `${start}` <= until; ) {
    const next =
      increment === 'monthly' ? start.with({ day: 1 }).add({ months: 1 }) : start.add({ days: Number(increment) })
    const end = `${next.subtract({ days: 1 })}`
    slices.push({ since: `${start}`, until: end < until ? end : until })
    start = next
  }
  return slices
}

function sliceOf(slices: readonly Range[], day: string): Range | undefined {
  return slices.find(({ since, until }) => day >= since && day <= until)
}

function breakdownValue({ country, hour, btn_name }: Counted, { breakdown }: Question): string | null {
  const hh = String(hour).padStart(2, '0')
  if (breakdown === 'country') return country
  if (breakdown === HOURLY) return `${hh}:00:00 - ${hh}:59:59`
  return breakdown === BUTTON ? btn_name : null
}

function clicksOf(counted: readonly Counted[], question: Question): Record<string, string> {
  const { link_btn_click } = countsOf(counted, question)
  return { marketing_messages_link_btn_click: `${link_btn_click}` }
}

function metricsOf(counted: readonly Counted[], question: Question, wasSent: boolean): Record<string, string> {
  const of = countsOf(counted, question)
  const isPriced = !counted.some(({ counter }) => counter === 'unpriced')
  const all: Record<string, string | undefined> = {
    sent: `${of.sent}`,
    delivered: `${of.delivered}`,
    delivery_rate: wasSent ? divide(of.delivered * 100n, of.sent) : '0',
    read: `${of.read}`,
    read_rate: divide(of.read * 100n, of.delivered),
    link_btn_click: `${of.link_btn_click}`,
    link_btn_click_rate: divide(of.clicked * 100n, of.delivered_to_clickers),
    spend: isPriced ? divide(of.spend, 1_000_000n) : undefined,
    cost_per_delivered: isPriced ? divide(of.spend_on_delivered, of.delivered * 1_000_000n) : undefined,
    cost_per_link_btn_click: isPriced ? divide(of.spend_on_clickers, of.link_btn_click * 1_000_000n) : undefined,
  }
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) =>
      value === undefined ? [] : [[`marketing_messages_${name}`, value]],
    ),
  )
}

/** Europe and Japan are in no count, and the three others of class B in none of clicks, unless everyone is. */
function countsOf(counted: readonly Counted[], { region_policy, dated_by }: Question) {
  const [most, clickers] = region_policy === 'all' ? ['abc', 'abc'] : ['bc', 'c']
  const sum = (counter: string, classes = most) =>
    counted
      .filter((one) => one.counter === counter && classes.includes(one.region_class))
      .reduce((total, { amount }) => total + amount, 0n)
  const dated = dated_by === 'delivery' ? '_by_delivery' : ''
  return {
    sent: sum(`sent${dated}`),
    delivered: sum('delivered'),
    read: sum(`read${dated}`),
    link_btn_click: sum(`link_btn_click${dated}`, clickers),
    clicked: sum(`link_btn_clicked${dated}`, clickers),
    delivered_to_clickers: sum('delivered', clickers),
    spend: sum('spend_micros', 'abc'),
    spend_on_delivered: sum('spend_micros'),
    spend_on_clickers: sum('spend_micros', clickers),
  }
}

/** To six decimals, halves rounded up, without zeros at the end; nothing over nothing. */
function divide(numerator: bigint, denominator: bigint): string | undefined {
  if (denominator === 0n) return undefined
  const sevenDecimals = (numerator * 10_000_000n) / denominator
  const digits = String((sevenDecimals + 5n) / 10n).padStart(7, '0')
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, '')
}
