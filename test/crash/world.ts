import { DAY_MS } from '../../src/domain/day.ts'
import type { SandboxEvent } from '../../src/sandbox/event.ts'
import { type LoadPlan, loadEvents } from '../../src/sandbox/load.ts'
import type { Random } from '../../src/sandbox/random.ts'
import { singleIdAd } from '../../src/store/admission.ts'
import type { Store } from '../../src/store/store.ts'
import { hashToken } from '../../src/store/tokens.ts'
import type { ModelWorld } from '../model.ts'

export const ACCOUNT_IDS = ['1', '2']
export const TOKEN = 'a token that reads both accounts'

/** The ads of page 103 wait to be claimed, since it is linked to both accounts. */
const PAGES = [
  { page_id: '101', account_ids: ['1'], first_ad_id: '1000', ads: 8 },
  { page_id: '102', account_ids: ['2'], first_ad_id: '2000', ads: 8 },
  { page_id: '103', account_ids: ACCOUNT_IDS, first_ad_id: '3000', ads: 4 },
] as const

const TIME_ZONES = ['UTC', 'America/New_York', 'Asia/Kolkata', 'Pacific/Kiritimati']
const SUBSCRIBERS = 300
const DAYS = 20

/** More than a world ever sends. */
const FACTS_PER_PAGE = 30_000

/** Two accounts, their pages and their ads, and what an administrator changes of them between a crash and the next start. */
export class CrashWorld implements ModelWorld {
  readonly #random: Random
  readonly #zones = new Map<string, string>()
  readonly #claims = new Map<string, string>()
  readonly #rates = new Map<string, { country: string; valid_from: string; price_micros: bigint }>()

  constructor(random: Random) {
    this.#random = random
    for (const { account_ids, first_ad_id, ads } of PAGES) {
      const [account_id] = account_ids
      if (account_ids.length === 1) for (const ad of adIds(first_ad_id, ads)) this.#claims.set(ad, account_id)
    }
  }

  accountOf = (ad_id: string) => this.#claims.get(ad_id)
  timeZoneOf = (account_id: string) => this.#zones.get(account_id) ?? 'UTC'
  listedCountry = () => undefined
  ratesOf = (account_id: string) => [this.#rates.get(account_id) ?? []].flat()

  /** Registers the accounts, and a token for them. */
  async register(store: Store): Promise<void> {
    await store.write(async ({ registry, tokens }) => {
      const accounts = new Set<number>()
      for (const account_id of ACCOUNT_IDS) {
        const page_ids = PAGES.filter((page) => page.account_ids.some((id) => id === account_id)).map(
          (one) => one.page_id,
        )
        const fields = { account_id, name: account_id, currency: 'USD', time_zone: 'UTC', page_ids }
        accounts.add((await registry.addAccount(fields)).account)
      }
      await tokens.add({ token_hash: hashToken(TOKEN), permission: 'read', created_at: 0, accounts })
    })
  }

  /** Changes time zones and rates and claims an ad: every thread of both accounts is to be resolved anew. */
  async change(store: Store): Promise<void> {
    for (const account_id of ACCOUNT_IDS) {
      await this.#setZone(store, account_id)
      await this.#setRate(store, account_id)
    }
    await this.#claim(store, this.#unclaimed().slice(0, 1))
  }

  /** Claims what nobody has claimed yet, so that nothing stays parked. */
  async claimRest(store: Store): Promise<void> {
    await this.#claim(store, this.#unclaimed())
  }

  async #setZone(store: Store, account_id: string): Promise<void> {
    const time_zone = this.#pick(TIME_ZONES)
    this.#zones.set(account_id, time_zone)
    await store.write(({ registry }) =>
      registry.setAccount(account_id, { time_zone, link_page_ids: [], unlink_page_ids: [] }),
    )
  }

  async #setRate(store: Store, account_id: string): Promise<void> {
    const price_micros = BigInt(this.#random.integer(5_000, 40_000))
    this.#rates.set(account_id, { country: '*', valid_from: '2020-01-01', price_micros })
    await store.write(async ({ registry }) => {
      const { account = -1 } = (await registry.readAccount(account_id)) ?? {}
      const valid_from = Date.UTC(2020, 0, 1) / DAY_MS
      await registry.writeRates(account, [{ country: '*', valid_from, price_micros }])
    })
  }

  #unclaimed(): string[] {
    return PAGES.flatMap(({ first_ad_id, ads }) => adIds(first_ad_id, ads)).filter((ad_id) => !this.#claims.has(ad_id))
  }

  async #claim(store: Store, ad_ids: readonly string[]): Promise<void> {
    for (const ad_id of ad_ids) {
      const account_id = this.#pick(ACCOUNT_IDS)
      this.#claims.set(ad_id, account_id)
      await store.write(async ({ registry }) => {
        const { account = -1 } = (await registry.readAccount(account_id)) ?? {}
        await registry.addAd(singleIdAd(ad_id, account))
      })
    }
  }

  #pick(values: readonly string[]): string {
    return values[this.#random.integer(0, values.length - 1)] ?? ''
  }
}

/** What webhooks tell of the last days, the pages in turns. */
export function* worldEvents(seed: number, now_ms: number): Generator<SandboxEvent, void, undefined> {
  const spread = { days: DAYS, start_ms: now_ms - (DAYS + 1) * DAY_MS, facts: FACTS_PER_PAGE, subscribers: SUBSCRIBERS }
  const pages = PAGES.map((page, i): LoadPlan => ({ ...spread, ...page, seed: seed + i }))
  const coming = pages.map((plan) => loadEvents(plan))
  for (;;) {
    for (const events of coming) {
      const { value } = events.next()
      if (value === undefined) return
      yield value
    }
  }
}

function adIds(first_ad_id: string, ads: number): string[] {
  return Array.from({ length: ads }, (_, i) => String(Number(first_ad_id) + i))
}
