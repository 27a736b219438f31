import type { Fact, FactKind } from '../../../src/domain/fact.ts'
import type { SandboxEvent } from '../../../src/sandbox/event.ts'
import { type ModelWorld, NaiveLedger } from '../../model.ts'
import type { Act, RateRow } from '../plan/step.ts'
import { ACCOUNTS, REGISTERED_ADS, REGISTERED_IN } from '../plan/universe.ts'

const DAY_MS = 86_400_000
const FORGOTTEN_MS = 7 * DAY_MS
const FACTS_SINCE_MS = Date.parse('2015-01-01T00:00:00Z')

interface ExpectedAd {
  account_id: string
  readonly campaign_id: string
  readonly adset_id: string
  readonly ad_id: string
  /** The pages whose facts were counted. */
  readonly page_ids: Set<string>
}

/**
 * What the ledger should hold: told of every commit, it keeps the facts as they are, and says by the words of the
 * reference pages what becomes of each. People have their tokens here, since hashes are not what is checked.
 */
export class Expected implements ModelWorld {
  readonly ledger = new NaiveLedger()
  /** By what they say: a repeated one waits once. */
  parked = new Map<string, Fact>()
  readonly ads: ExpectedAd[]
  readonly #time_zones: Map<string, string>
  readonly #links = new Map<string, Set<string>>()
  readonly #rates = new Map<string, RateRow[]>()
  readonly #countries = new Map<string, string>()
  readonly #forgotten = new Map<string, number>()
  /** Bodies of webhooks that are committed. */
  readonly #bodies = new Set<string>()
  /** Changes of webhooks that could not have happened when they came; a repeated one is kept once. */
  readonly rejected = new Set<string>()
  /** When a page's webhooks brought a kind of fact for the first time and the last, by page and kind. */
  readonly pages = new Map<string, { first: number; last: number }>()

  constructor(time_zones: readonly string[]) {
    this.#time_zones = new Map(ACCOUNTS.map(({ account_id }, i) => [account_id, time_zones[i] ?? 'UTC']))
    for (const { account_id, page_ids } of ACCOUNTS) for (const page of page_ids) this.linksOf(page).add(account_id)
    this.ads = REGISTERED_ADS.map((ad) => ({ ...ad, account_id: REGISTERED_IN, page_ids: new Set() }))
  }

  accountOf = (ad_id: string) => this.#ad(ad_id)?.account_id
  timeZoneOf = (account_id: string) => this.#time_zones.get(account_id) ?? 'UTC'
  listedCountry = (subscriber: string) => this.#countries.get(subscriber)
  ratesOf = (account_id: string) => this.#rates.get(account_id) ?? []

  linksOf(page_id: string): Set<string> {
    const links = this.#links.get(page_id) ?? new Set()
    this.#links.set(page_id, links)
    return links
  }

  isCommitted(body: string): boolean {
    return this.#bodies.has(body)
  }

  /** A group of webhooks was committed. */
  commitBodies(bodies: readonly string[], received_at: number): void {
    for (const body of bodies) {
      this.#bodies.add(body)
      for (const { change, fact } of readBody(body)) {
        if (!isTimely(fact, received_at)) {
          this.rejected.add(change)
          continue
        }
        this.#notePage(fact, received_at)
        this.#receive(fact, received_at)
      }
    }
  }

  /** An administrator's act was committed. */
  commitAct(act: Act, now_ms: number): void {
    switch (act.kind) {
      case 'import':
        for (const fact of act.events.map(factOf)) if (isTimely(fact, now_ms)) this.#receive(fact, now_ms)
        break
      case 'zone':
        this.#time_zones.set(act.account_id, act.time_zone)
        break
      case 'rates':
        for (const rate of act.rates) this.#setRate(act.account_id, rate)
        break
      case 'countries':
        for (const { token, country } of act.rows) this.#countries.set(token, country)
        break
      case 'claim':
        if (this.#adsOf(act.campaign_id).length === 0) this.#register(act.campaign_id, act.account_id)
        break
      case 'move':
        for (const ad of this.#adsOf(act.campaign_id)) ad.account_id = act.account_id
        break
      case 'link':
        this.linksOf(act.page_id).add(act.account_id)
        break
      case 'unlink':
        this.linksOf(act.page_id).delete(act.account_id)
        break
      case 'prune':
        this.#prune(act.account_id, act.before)
        break
      case 'forget':
        this.#forget(act.token, act.replacement, now_ms)
        break
    }
  }

  /** Whether an act is to be refused: of an ad that is elsewhere, or whose pages lead elsewhere. */
  refuses(act: Act): boolean {
    if (act.kind !== 'claim' && act.kind !== 'move') return false
    const ads = this.#adsOf(act.campaign_id)
    if (act.kind === 'claim') return ads.some((ad) => ad.account_id !== act.account_id)
    const pages = ads.flatMap(({ page_ids }) => [...page_ids])
    return ads.length === 0 || pages.some((page) => !this.#mayTell(page, act.account_id))
  }

  /** Everything that waits, and may be counted now, is. */
  claim(): void {
    const parked = this.parked
    this.parked = new Map()
    for (const fact of parked.values()) this.#admit(fact)
  }

  /** A server starts: whose time is over is no longer refused, whatever the clock says later. */
  dropForgotten(now_ms: number): void {
    for (const [token, until_ms] of this.#forgotten) if (until_ms <= now_ms) this.#forgotten.delete(token)
  }

  #receive(fact: Fact, now_ms: number): void {
    const isForgotten = (this.#forgotten.get(fact.subscriber) ?? 0) > now_ms
    if (!isForgotten) this.#admit(fact)
  }

  #notePage({ page_id, kind }: Fact, now_ms: number): void {
    const { first, last } = this.pages.get(`${page_id} ${kind}`) ?? { first: now_ms, last: now_ms }
    this.pages.set(`${page_id} ${kind}`, { first: Math.min(first, now_ms), last: Math.max(last, now_ms) })
  }

  #admit(fact: Fact): void {
    const [only, ...others] = this.linksOf(fact.page_id)
    if (this.#ad(fact.ad_id) === undefined && only !== undefined && others.length === 0)
      this.#register(fact.ad_id, only)
    const ad = this.#ad(fact.ad_id)
    if (ad === undefined || !this.#mayTell(fact.page_id, ad.account_id)) {
      this.parked.set(keyOf(fact), fact)
      return
    }
    ad.page_ids.add(fact.page_id)
    this.ledger.append([fact])
  }

  #mayTell(page_id: string, account_id: string): boolean {
    const links = this.linksOf(page_id)
    return links.size === 0 || links.has(account_id)
  }

  #adsOf(campaign_id: string): ExpectedAd[] {
    return this.ads.filter((ad) => ad.campaign_id === campaign_id)
  }

  #ad(id: string): ExpectedAd | undefined {
    return this.ads.find(({ ad_id }) => ad_id === id)
  }

  #register(id: string, account_id: string): void {
    this.ads.push({ account_id, campaign_id: id, adset_id: id, ad_id: id, page_ids: new Set() })
  }

  #setRate(account_id: string, rate: RateRow): void {
    const others = this.ratesOf(account_id).filter(
      ({ country, valid_from }) => country !== rate.country || valid_from !== rate.valid_from,
    )
    this.#rates.set(account_id, [...others, rate])
  }

  #prune(account_id: string, before: string): void {
    const floor = Temporal.PlainDate.from(before).toZonedDateTime(this.timeZoneOf(account_id))
    const own = this.ads.filter((ad) => ad.account_id === account_id)
    this.ledger.prune(
      own.map(({ ad_id }) => ad_id),
      floor.epochMilliseconds,
      this,
    )
  }

  #forget(token: string, replacement: string, now_ms: number): void {
    const renamed = (fact: Fact) => (fact.subscriber === token ? { ...fact, subscriber: replacement } : fact)
    this.ledger.rename(token, replacement)
    this.parked = new Map([...this.parked.values()].map(renamed).map((fact) => [keyOf(fact), fact]))
    const country = this.#countries.get(token)
    if (country !== undefined) this.#countries.set(replacement, country)
    this.#countries.delete(token)
    this.dropForgotten(now_ms)
    this.#forgotten.set(token, Math.max(this.#forgotten.get(token) ?? 0, now_ms + FORGOTTEN_MS))
  }
}

/** Nothing is told of before 2015, or a day ahead. */
function isTimely({ at }: Fact, now_ms: number): boolean {
  return at >= FACTS_SINCE_MS && at <= now_ms + DAY_MS
}

function keyOf(fact: Fact): string {
  return JSON.stringify(fact, (_, value) => (typeof value === 'bigint' ? String(value) : value))
}

const KINDS: Readonly<Record<string, FactKind>> = {
  marketing_message_echoes: 'sent',
  marketing_message_deliveries: 'delivered',
  marketing_message_reads: 'read',
  marketing_message_clicks: 'clicked',
  marketing_message_delivery_failed: 'failed',
}

interface WebhookBody {
  readonly entry: readonly {
    readonly changes: readonly { readonly field: string; readonly value: Readonly<Record<string, unknown>> }[]
  }[]
}

/** What a webhook says, as the contract reads, change by change; nothing where it is none. */
function readBody(text: string): { change: string; fact: Fact }[] {
  if (!text.startsWith('{"object"')) return []
  const { entry } = JSON.parse(text) as WebhookBody
  return entry.flatMap(({ changes }) =>
    changes.map(({ field, value }) => ({
      change: JSON.stringify([field, value]),
      fact: factOf({ ...value, kind: KINDS[field], page_id: String(value.page_id) } as SandboxEvent),
    })),
  )
}

function factOf(event: SandboxEvent): Fact {
  const { kind, timestamp, price_micros } = event
  return {
    kind,
    at: timestamp < 100_000_000_000 ? timestamp * 1000 : timestamp,
    ad_id: event.message_id,
    page_id: event.page_id,
    subscriber: event.messenger_subscription_token,
    tracking_id: event.marketing_message_tracking_id ?? null,
    mid: event.mid ?? null,
    price_micros: price_micros === undefined ? null : BigInt(price_micros),
    country: event.country ?? null,
    btn_name: event.btn_name ?? null,
    error_message: kind === 'failed' ? (event.error_message ?? '') : null,
  }
}
