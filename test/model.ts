import type { Counter } from '../src/domain/counter.ts'
import type { Fact } from '../src/domain/fact.ts'
import type { RegionClass } from '../src/domain/region.ts'

/** A world as the naive model sees it: what every answer depends on besides the facts. */
export interface ModelWorld {
  /** The account of an ad; `undefined` while nobody claimed it. */
  accountOf(ad_id: string): string | undefined
  timeZoneOf(account_id: string): string
  listedCountry(subscriber: string): string | undefined
  /** Rates of an account: country or `*`, first day as `YYYY-MM-DD`, price. */
  ratesOf(account_id: string): readonly { country: string; valid_from: string; price_micros: bigint }[]
}

/** One thing that is counted, on one day. */
export interface Counted {
  account_id: string
  ad_id: string
  day: string
  /** Of the day, 0 to 23. */
  hour: number
  counter: Counter
  region_class: RegionClass
  country: string
  btn_name: string | null
  amount: bigint
}

/**
 * Counts by filtering arrays, with nothing of the domain's own code: slow, and short enough to be seen right. The
 * property tests and the simulation hold every rollup against it.
 */
export function countNaively(facts: readonly Fact[], world: ModelWorld): Counted[] {
  const threads = Map.groupBy(facts, (fact) => `${fact.ad_id} ${fact.subscriber}`)
  return [...threads.values()].flatMap((thread) => countThread(thread, world))
}

/** One failed delivery, on its day. */
export interface CountedFailure {
  account_id: string
  ad_id: string
  day: string
  error_message: string
}

/** The failures of a thread are told apart by millisecond and reason. */
export function countFailuresNaively(facts: readonly Fact[], world: ModelWorld): CountedFailure[] {
  const failed = facts.filter((fact) => fact.kind === 'failed')
  const distinct = new Map(failed.map((f) => [JSON.stringify([f.ad_id, f.subscriber, f.at, f.error_message]), f]))
  return [...distinct.values()].flatMap(({ ad_id, at, error_message }) => {
    const account_id = world.accountOf(ad_id)
    if (account_id === undefined) return []
    const day = localTime(at, world.timeZoneOf(account_id)).toPlainDate().toString()
    return [{ account_id, ad_id, day, error_message: error_message ?? '' }]
  })
}

function localTime(at: number, time_zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(time_zone)
}

/** The facts that a ledger was given, with prunes in between: some are still told apart, some only counted, some refused. */
export class NaiveLedger {
  #facts: Fact[] = []
  readonly #pruned: Counted[] = []
  readonly #prunedFailures: CountedFailure[] = []
  readonly #prunedMessages = new Set<string>()
  readonly #floors = new Map<string, number>()

  append(facts: readonly Fact[]): void {
    this.#facts.push(...facts.filter((fact) => !this.#isRefused(fact)))
  }

  /** Keeps of these ads' threads that know of nothing since the floor what they count now, and never lets it count again. */
  prune(ad_ids: readonly string[], floor: number, world: ModelWorld): void {
    for (const ad_id of ad_ids) this.#floors.set(ad_id, Math.max(floor, this.#floors.get(ad_id) ?? -Infinity))
    const threads = Map.groupBy(this.#facts, (fact) => `${fact.ad_id} ${fact.subscriber}`)
    for (const thread of threads.values()) {
      const [{ ad_id }] = thread as [Fact]
      if (!ad_ids.includes(ad_id) || latestTimeOf(thread) >= (this.#floors.get(ad_id) ?? -Infinity)) continue
      this.#pruned.push(...countThread(thread, world))
      this.#prunedFailures.push(...countFailuresNaively(thread, world))
      for (const fact of thread) if (fact.tracking_id !== null) this.#prunedMessages.add(messageName(fact))
      this.#facts = this.#facts.filter((fact) => !thread.includes(fact))
    }
  }

  /** A person is forgotten: the facts that are still told apart are another's. */
  rename(subscriber: string, replacement: string): void {
    this.#facts = this.#facts.map((fact) =>
      fact.subscriber === subscriber ? { ...fact, subscriber: replacement } : fact,
    )
  }

  count(world: ModelWorld): Counted[] {
    return [...inTheirAccounts(this.#pruned, world), ...countNaively(this.#facts, world)]
  }

  countFailures(world: ModelWorld): CountedFailure[] {
    return [...inTheirAccounts(this.#prunedFailures, world), ...countFailuresNaively(this.#facts, world)]
  }

  #isRefused(fact: Fact): boolean {
    return fact.at < (this.#floors.get(fact.ad_id) ?? -Infinity) || this.#prunedMessages.has(messageName(fact))
  }
}

/** What was pruned moves with its ad. */
function inTheirAccounts<T extends { account_id: string; ad_id: string }>(
  pruned: readonly T[],
  world: ModelWorld,
): T[] {
  return pruned.map((one) => ({ ...one, account_id: world.accountOf(one.ad_id) ?? one.account_id }))
}

function messageName({ ad_id, subscriber, tracking_id }: Fact): string {
  return `${ad_id} ${subscriber} ${tracking_id}`
}

/** The latest of the times that count: a message's first of each kind, and every click and failure. */
function latestTimeOf(thread: readonly Fact[]): number {
  const others = thread.filter(({ kind }) => kind === 'clicked' || kind === 'failed').map(({ at }) => at)
  const times = naiveMessages(thread).flatMap(({ sent, delivered, read }) => [sent, delivered, read])
  return Math.max(...others, ...times.filter((at) => at < Infinity))
}

interface NaiveMessage {
  tracking_id: string
  sent: number
  delivered: number
  read: number
  own: number
  mid: string | undefined
  price: bigint | undefined
  clicks: NaiveClick[]
}

interface NaiveClick {
  at: number
  mid: string | null
  btn_name: string | null
}

function countThread(facts: readonly Fact[], world: ModelWorld): Counted[] {
  const [{ ad_id, subscriber }] = facts as [Fact]
  const account_id = world.accountOf(ad_id)
  if (account_id === undefined) return []
  const named = latest(facts.filter((fact) => fact.country !== null).map((f) => ({ at: f.at, value: f.country ?? '' })))
  const country = named ?? world.listedCountry(subscriber)
  const messages = naiveMessages(facts)
  const clicks = naiveClicks(facts)
  const uncredited = clicks.filter((click) => !credit(click, messages))
  const counted: Counted[] = []
  const local = (at: number) => localTime(at, world.timeZoneOf(account_id))
  const dayOf = (at: number) => local(at).toPlainDate().toString()
  const count = (at: number, counter: Counter, amount = 1n, btn_name: string | null = null) =>
    counted.push({
      account_id,
      ad_id,
      day: dayOf(at),
      hour: local(at).hour,
      counter,
      region_class: naiveClass(country),
      country: country ?? 'unknown',
      btn_name,
      amount,
    })

  for (const message of messages) {
    const proofs = [message.read, ...message.clicks.map((click) => click.at)]
    const delivered = message.delivered < Infinity ? message.delivered : Math.min(...proofs)
    const anchor = delivered < Infinity ? delivered : message.sent
    if (message.sent < Infinity) {
      count(message.sent, 'sent')
      count(anchor, 'sent_by_delivery')
    }
    if (delivered < Infinity) {
      count(delivered, 'delivered')
      const price = message.price ?? rateFor(world.ratesOf(account_id), country, dayOf(delivered))
      if (price === undefined) count(delivered, 'unpriced')
      else count(delivered, 'spend_micros', price)
    }
    if (message.read < Infinity) {
      count(message.read, 'read')
      count(anchor, 'read_by_delivery')
    }
    for (const click of message.clicks) {
      count(click.at, 'link_btn_click', 1n, click.btn_name)
      count(anchor, 'link_btn_click_by_delivery', 1n, click.btn_name)
    }
    if (message.clicks.length > 0) {
      count(Math.min(...message.clicks.map((click) => click.at)), 'link_btn_clicked')
      count(anchor, 'link_btn_clicked_by_delivery')
    }
  }
  for (const click of uncredited) {
    count(click.at, 'link_btn_click', 1n, click.btn_name)
    count(click.at, 'link_btn_click_by_delivery', 1n, click.btn_name)
  }
  return counted
}

function naiveMessages(facts: readonly Fact[]): NaiveMessage[] {
  const sends = facts.filter((fact) => fact.kind === 'sent' || fact.kind === 'delivered' || fact.kind === 'read')
  const messages = [...new Set(sends.map((fact) => fact.tracking_id ?? ''))].map((tracking_id): NaiveMessage => {
    const own = sends.filter((fact) => fact.tracking_id === tracking_id)
    const first = (kind: string) => Math.min(...own.filter((fact) => fact.kind === kind).map((fact) => fact.at))
    const prices = own.filter((fact) => fact.price_micros !== null)
    return {
      tracking_id,
      sent: first('sent'),
      delivered: first('delivered'),
      read: first('read'),
      own: Math.min(...own.map((fact) => fact.at)),
      mid: own.flatMap((fact) => fact.mid ?? []).sort()[0],
      price: latest(prices.map((fact) => ({ at: fact.at, value: fact.price_micros ?? 0n }))),
      clicks: [],
    }
  })
  for (const click of naiveClicks(facts)) credit(click, messages)?.clicks.push(click)
  return messages
}

function naiveClicks(facts: readonly Fact[]): NaiveClick[] {
  const clicks = facts.filter((fact) => fact.kind === 'clicked')
  const buttonAt = (at: number) =>
    clicks
      .flatMap((click) => (click.at === at ? (click.btn_name ?? []) : []))
      .sort()
      .at(-1) ?? null
  const distinct = new Map(clicks.map(({ at, mid }) => [`${at} ${mid}`, { at, mid, btn_name: buttonAt(at) }]))
  return [...distinct.values()].filter(
    (click) => click.mid !== null || !clicks.some((other) => other.at === click.at && other.mid !== null),
  )
}

function credit(click: NaiveClick, messages: readonly NaiveMessage[]): NaiveMessage | undefined {
  const byTime = [...messages].sort((a, b) => a.own - b.own || (a.tracking_id < b.tracking_id ? -1 : 1))
  const named = byTime.find((message) => click.mid !== null && message.mid === click.mid)
  const before = byTime.filter((message) => Math.floor(message.own / 1000) <= Math.floor(click.at / 1000))
  return named ?? before.at(-1) ?? byTime[0]
}

function rateFor(
  rates: readonly { country: string; valid_from: string; price_micros: bigint }[],
  country: string | undefined,
  day: string,
): bigint | undefined {
  const asOf = (name: string) =>
    rates
      .filter((rate) => rate.country === name && rate.valid_from <= day)
      .sort((a, b) => (a.valid_from < b.valid_from ? 1 : -1))[0]?.price_micros
  return (country === undefined ? undefined : asOf(country)) ?? asOf('*')
}

function naiveClass(country: string | undefined): RegionClass {
  if (country === undefined) return 'c'
  if (['JP', 'DE', 'FR'].includes(country)) return 'a'
  return ['KR', 'TR', 'AR'].includes(country) ? 'b' : 'c'
}

function latest<T>(observed: { at: number; value: T }[]): T | undefined {
  return observed.sort((a, b) => b.at - a.at || (a.value < b.value ? 1 : -1))[0]?.value
}
