import type { Calendar } from '../domain/calendar.ts'
import type { Rate, RateCard } from '../domain/rate-card.ts'
import type { NodeCells } from './rollups.ts'
import type { AdKey } from './threads.ts'

/** What an administrator says of an ad account. */
export interface AccountFields {
  /** Digits, without `act_`. */
  readonly account_id: string
  readonly name: string
  /** ISO 4217. */
  readonly currency: string
  /** IANA. */
  readonly time_zone: string
  readonly page_ids: readonly string[]
}

export interface Account extends AccountFields {
  /** The store's own short number. */
  readonly account: number
}

/** What can change of an account; what is left out stays. */
export interface AccountChange {
  readonly name?: string | undefined
  readonly currency?: string | undefined
  readonly time_zone?: string | undefined
  readonly link_page_ids: readonly string[]
  readonly unlink_page_ids: readonly string[]
}

export interface Campaign {
  readonly campaign_id: string
  readonly account_id: string
  readonly name: string
  readonly ads: number
}

/** An ad as it is registered: with the ids and names above it. */
export interface AdFields {
  readonly account: number
  readonly ad_id: string
  readonly ad_name: string
  readonly adset_id: string
  readonly adset_name: string
  readonly campaign_id: string
  readonly campaign_name: string
}

export interface Ad extends AdFields {
  readonly ad: number
  /** That of its campaign. */
  readonly status: CampaignStatus
}

export const LEVELS = ['account', 'campaign', 'adset', 'ad'] as const

export type Level = (typeof LEVELS)[number]

export const CAMPAIGN_STATUSES = ['ACTIVE', 'DELETED'] as const

export type CampaignStatus = (typeof CAMPAIGN_STATUSES)[number]

/** What is known of a campaign beside its numbers; its ad sets and ads share it. */
export interface CampaignState {
  /** A deleted campaign is listed no more; its ledger stays. */
  readonly status: CampaignStatus
  /** Milliseconds since 1970; `null` where nobody knows. */
  readonly created_at: number | null
  readonly updated_at: number | null
  /** What its owner said of it: kept to be read back. */
  readonly details: Readonly<Record<string, unknown>>
}

/** What can change of a campaign, and when it did; what is left out stays. */
export interface CampaignChange {
  readonly status?: CampaignStatus
  readonly details?: Readonly<Record<string, unknown>>
  readonly updated_at: number
}

/** What `/insights` can be asked of. */
export interface Node extends NodeCells {
  readonly level: Level
  /** Its ids and names, and those above it, as an insights row spells them: `campaign_id`, `campaign_name`, … */
  readonly names: Readonly<Record<string, string>>
  readonly currency: string
  readonly time_zone: string
  /** Of the campaign that the node is or belongs to; an account has none. */
  readonly campaign?: CampaignState
}

/** The ids and names that all of these ads share: those of their level and above, and below while there is one. */
export function sharedNames(level: Exclude<Level, 'account'>, ads: readonly Ad[]): Record<string, string> {
  const names: Record<string, string> = {}
  const [first] = ads
  for (const one of ['campaign', 'adset', 'ad'] as const) {
    const isShared = ads.every((ad) => ad[`${one}_id`] === first?.[`${one}_id`])
    if (first === undefined || (!isShared && one !== level)) continue
    names[`${one}_id`] = first[`${one}_id`]
    names[`${one}_name`] = first[`${one}_name`]
  }
  return names
}

/** Where an ad's facts are counted. */
export interface Placement extends AdKey {
  /** The pages whose webhooks told of the ad so far. */
  readonly page_ids: ReadonlySet<string>
  /** Facts before this time are refused, in milliseconds since 1970; `null` where nothing of the ad was pruned. */
  readonly floor_at: number | null
}

/** What of an account its threads depend on. */
export interface AccountContext {
  readonly calendar: Calendar
  readonly rateCard: RateCard
}

/** Thrown where an administrator's act cannot be done as asked; the message names the act, the value, the way out. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
}

/** Accounts, pages, campaigns, ad sets, ads, rates and countries: what an administrator says of the world. */
export interface Registry {
  /** Raised by every change that a writer may have remembered otherwise. */
  readVersion(): Promise<number>

  listAccounts(): Promise<Account[]>
  readAccount(account_id: string): Promise<Account | undefined>
  /** Throws a RegistryError when the account is there already. */
  addAccount(fields: AccountFields): Promise<Account>
  /** A changed time zone has the account's threads resolved anew. Throws a RegistryError when it is not there. */
  setAccount(account_id: string, change: AccountChange): Promise<Account>

  listCampaigns(): Promise<Campaign[]>
  /** Registers an ad and what is above it, at a time; throws a RegistryError when it is registered elsewhere. */
  addAd(ad: AdFields, at_ms?: number): Promise<Placement>
  setCampaign(campaign_id: string, change: CampaignChange): Promise<void>
  /** Names a campaign, and what is known by the same id and name below it; or an ad set or an ad alone. */
  rename(level: Exclude<Level, 'account'>, id: string, name: string): Promise<void>
  /**
   * Moves a campaign with all its ads and their cells to another account; its threads are resolved anew. The
   * accounts' own cells are to be summed again, in the same transaction. Throws a RegistryError when a page that tells
   * of the campaign is linked elsewhere and not to that account.
   */
  moveCampaign(campaign_id: string, to: number): Promise<void>
  listAds(): Promise<Ad[]>
  /** The ads of an account, in the order in which they were registered. */
  listAdsOf(account: number): Promise<Ad[]>
  /**
   * `act_<digits>`, or the id of a campaign, ad set or ad: of this level, or else of the highest that has the id. A node that is in
   * none of the accounts asked is not there, and takes as long to find as one that never was.
   */
  readNode(id: string, level?: Level, accounts?: ReadonlySet<number>): Promise<Node | undefined>

  readPlacement(ad_id: string): Promise<Placement | undefined>
  noteAdPage(ad: number, page_id: string): Promise<void>
  /** The accounts that a page is linked to. */
  readPageLinks(page_id: string): Promise<ReadonlySet<number>>

  readContext(account: number): Promise<AccountContext>
  /** Adds rates to an account's rate card, or changes their prices; its threads are resolved anew. */
  writeRates(account: number, rates: readonly Rate[]): Promise<void>
  /** Adds to the subscriber list, or changes it. Call `resolveAll` in the same transaction. */
  writeCountries(countries: ReadonlyMap<string, string>): Promise<void>
  /** Has every thread resolved anew. */
  resolveAll(): Promise<void>

  /** The people whose late facts are refused, each until a time in milliseconds since 1970. */
  readForgotten(): Promise<ReadonlyMap<string, number>>
  writeForgotten(subscriber: string, until_ms: number): Promise<void>
  /** Drops those whose time is over. */
  removeForgotten(now_ms: number): Promise<void>

  readSetting(name: string): Promise<string | undefined>
  writeSetting(name: string, value: string): Promise<void>
}
