import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { calendarOf } from '../../domain/calendar.ts'
import { type Rate, RateCard } from '../../domain/rate-card.ts'
import {
  type Account,
  type AccountChange,
  type AccountContext,
  type AccountFields,
  type Ad,
  type AdFields,
  type Campaign,
  type CampaignChange,
  type Level,
  type Node,
  type Placement,
  type Registry,
  RegistryError,
} from '../registry.ts'
import { accountOf, adOf, homeOf, type NodeLevel, nodeOfAccount, nodeOfAds } from '../registry-rows.ts'
import { ROLLUP_TABLES } from '../rollup-cells.ts'

const READ_VERSION = "SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'registry_version'"

/** Whoever remembers something of the registry, or a token, forgets it when the version is another. */
export const RAISE_VERSION = "UPDATE setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'registry_version'"

const READ_ACCOUNTS = `
  SELECT account, account_id, name, currency, time_zone,
    (SELECT json_group_array(page_id) FROM page_link WHERE page_link.account = account.account) AS page_ids
  FROM account`

const READ_ADS = `
  SELECT ad, ad.account, ad_id, ad.name AS ad_name, adset_id, adset.name AS adset_name, ad.campaign_id,
    campaign.name AS campaign_name, status, created_at, updated_at, details
  FROM ad JOIN adset USING (adset_id) JOIN campaign ON campaign.campaign_id = ad.campaign_id`

/** Of an id that is nobody's, or another tenant's, no more is read. */
const FIND_HOMES = `
  SELECT 'campaign' AS level, account FROM campaign WHERE campaign_id = ?1
  UNION ALL SELECT 'adset', account FROM adset WHERE adset_id = ?1
  UNION ALL SELECT 'ad', account FROM ad WHERE ad_id = ?1`

const LIST_CAMPAIGNS = `
  SELECT campaign_id, account_id, campaign.name,
    (SELECT COUNT(*) FROM ad WHERE ad.campaign_id = campaign.campaign_id) AS ads
  FROM campaign JOIN account USING (account) ORDER BY account_id, campaign_id`

const READ_PLACEMENT = `
  SELECT ad, account, floor_at, (SELECT json_group_array(page_id) FROM ad_page WHERE ad_page.ad = ad.ad) AS page_ids
  FROM ad LEFT JOIN pruned_ad USING (ad) WHERE ad_id = ?`

const ADD_CAMPAIGN = `
  INSERT INTO campaign (campaign_id, account, name, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?4)
  ON CONFLICT (campaign_id) DO UPDATE SET updated_at = COALESCE(excluded.updated_at, updated_at)`

const SET_CAMPAIGN = `
  UPDATE campaign SET status = COALESCE(?2, status), details = COALESCE(?3, details), updated_at = ?4
  WHERE campaign_id = ?1`

/** What has the campaign's id is called as it is, unless it was given a name of its own. */
const renameBelow = (level: string) => `
  SET name = ?1 WHERE ${level}_id = ?2 AND campaign_id = ?2
    AND name = (SELECT name FROM campaign WHERE campaign_id = ?2)`

const RESOLVE_ACCOUNT = `
  INSERT OR REPLACE INTO unresolved_ad (ad, after_subscriber) SELECT ad, '' FROM ad WHERE account = ?`

const RESOLVE_CAMPAIGN = `
  INSERT OR REPLACE INTO unresolved_ad (ad, after_subscriber) SELECT ad, '' FROM ad WHERE campaign_id = ?`

const LIST_FOREIGN_PAGES = `
  SELECT DISTINCT page_id FROM ad JOIN ad_page USING (ad) JOIN page_link USING (page_id)
  WHERE campaign_id = ?1
    AND NOT EXISTS (SELECT 1 FROM page_link AS own WHERE own.page_id = ad_page.page_id AND own.account = ?2)
  ORDER BY page_id`

const RESOLVE_ALL = "INSERT OR REPLACE INTO unresolved_ad (ad, after_subscriber) SELECT ad, '' FROM ad"

const WRITE_RATE = `
  INSERT INTO rate (account, country, valid_from, price_micros) VALUES (?, ?, ?, ?)
  ON CONFLICT (account, country, valid_from) DO UPDATE SET price_micros = excluded.price_micros`

const WRITE_COUNTRY = `
  INSERT INTO subscriber (subscriber, country) VALUES (?, ?)
  ON CONFLICT (subscriber) DO UPDATE SET country = excluded.country`

const WRITE_FORGOTTEN = `
  INSERT INTO forgotten (subscriber, until_at) VALUES (?, ?)
  ON CONFLICT (subscriber) DO UPDATE SET until_at = MAX(until_at, excluded.until_at)`

const WRITE_SETTING = `
  INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`

export class SqliteRegistry implements Registry {
  readonly #db: DatabaseSync
  readonly #readVersion: StatementSync
  #isReading = false
  /** Of the reading transaction under way, once it was read. */
  #version: number | undefined
  readonly #readPlacement: StatementSync
  readonly #writeCountry: StatementSync
  readonly #findHomes: StatementSync
  readonly #readAds: Readonly<Record<NodeLevel, StatementSync>>
  readonly #readAccountOf: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#findHomes = db.prepare(FIND_HOMES)
    const readAds = (level: Level) => db.prepare(`${READ_ADS} WHERE ad.${level}_id = ? ORDER BY ad`)
    this.#readAds = { campaign: readAds('campaign'), adset: readAds('adset'), ad: readAds('ad') }
    this.#readAccountOf = db.prepare(`${READ_ACCOUNTS} WHERE account = ?`)
    this.#readVersion = db.prepare(READ_VERSION)
    this.#readVersion.setReturnArrays(true)
    this.#readPlacement = db.prepare(READ_PLACEMENT)
    this.#writeCountry = db.prepare(WRITE_COUNTRY)
  }

  /** In a transaction that only reads, the version stays as it was read first: every question of it asks. */
  async readVersion(): Promise<number> {
    if (this.#version !== undefined) return this.#version
    const [version] = this.#readVersion.get() as unknown as [number]
    if (this.#isReading) this.#version = version
    return version
  }

  /** Told when a transaction that only reads begins, and when it has ended. */
  set isReading(isReading: boolean) {
    this.#isReading = isReading
    this.#version = undefined
  }

  async listAccounts(): Promise<Account[]> {
    return this.#db.prepare(`${READ_ACCOUNTS} ORDER BY account_id`).all().map(accountIn)
  }

  async readAccount(account_id: string): Promise<Account | undefined> {
    const row = this.#db.prepare(`${READ_ACCOUNTS} WHERE account_id = ?`).get(account_id)
    return row && accountIn(row)
  }

  async addAccount(fields: AccountFields): Promise<Account> {
    const { account_id, name, currency, time_zone, page_ids } = fields
    if ((await this.readAccount(account_id)) !== undefined) {
      throw new RegistryError(
        `cannot add account act_${account_id}: it is there already; change it with: readout account set act_${account_id}`,
      )
    }
    this.#db
      .prepare('INSERT INTO account (account_id, name, currency, time_zone) VALUES (?, ?, ?, ?)')
      .run(account_id, name, currency, time_zone)
    return this.setAccount(account_id, { link_page_ids: page_ids, unlink_page_ids: [] })
  }

  async setAccount(account_id: string, change: AccountChange): Promise<Account> {
    const before = await this.readAccount(account_id)
    if (before === undefined) {
      throw new RegistryError(`cannot set account act_${account_id}: there is none; see: readout account list`)
    }
    const { account } = before
    this.#db
      .prepare('UPDATE account SET name = ?, currency = ?, time_zone = ? WHERE account = ?')
      .run(
        change.name ?? before.name,
        change.currency ?? before.currency,
        change.time_zone ?? before.time_zone,
        account,
      )
    const link = this.#db.prepare('INSERT OR IGNORE INTO page_link (page_id, account) VALUES (?, ?)')
    for (const page_id of change.link_page_ids) link.run(page_id, account)
    const unlink = this.#db.prepare('DELETE FROM page_link WHERE page_id = ? AND account = ?')
    for (const page_id of change.unlink_page_ids) unlink.run(page_id, account)
    if (change.time_zone !== undefined && change.time_zone !== before.time_zone) {
      this.#db.prepare(RESOLVE_ACCOUNT).run(account)
    }
    this.#raiseVersion()
    return (await this.readAccount(account_id)) as Account
  }

  async listCampaigns(): Promise<Campaign[]> {
    return this.#db
      .prepare(LIST_CAMPAIGNS)
      .all()
      .map((row) => ({
        campaign_id: String(row.campaign_id),
        account_id: String(row.account_id),
        name: String(row.name),
        ads: Number(row.ads),
      }))
  }

  async addAd(ad: AdFields, at_ms?: number): Promise<Placement> {
    const { account, ad_id, adset_id, campaign_id } = ad
    this.#refuseElsewhere(ad)
    this.#db.prepare(ADD_CAMPAIGN).run(campaign_id, account, ad.campaign_name, at_ms ?? null)
    const adset = this.#db.prepare(
      'INSERT OR IGNORE INTO adset (adset_id, account, campaign_id, name) VALUES (?, ?, ?, ?)',
    )
    adset.run(adset_id, account, campaign_id, ad.adset_name)
    this.#db
      .prepare('INSERT INTO ad (ad_id, account, adset_id, campaign_id, name) VALUES (?, ?, ?, ?, ?)')
      .run(ad_id, account, adset_id, campaign_id, ad.ad_name)
    this.#raiseVersion()
    return (await this.readPlacement(ad_id)) as Placement
  }

  async setCampaign(campaign_id: string, { status, details, updated_at }: CampaignChange): Promise<void> {
    const json = details === undefined ? null : JSON.stringify(details)
    this.#db.prepare(SET_CAMPAIGN).run(campaign_id, status ?? null, json, updated_at)
    this.#raiseVersion()
  }

  async rename(level: Exclude<Level, 'account'>, id: string, name: string): Promise<void> {
    if (level === 'campaign') {
      for (const below of ['adset', 'ad']) this.#db.prepare(`UPDATE ${below} ${renameBelow(below)}`).run(name, id)
    }
    this.#db.prepare(`UPDATE ${level} SET name = ?1 WHERE ${level}_id = ?2`).run(name, id)
    this.#raiseVersion()
  }

  async moveCampaign(campaign_id: string, to: number): Promise<void> {
    this.#refuseForeignPages(campaign_id, to)
    this.#db.prepare('UPDATE campaign SET account = ? WHERE campaign_id = ?').run(to, campaign_id)
    this.#db.prepare('UPDATE adset SET account = ? WHERE campaign_id = ?').run(to, campaign_id)
    for (const { name: table } of ROLLUP_TABLES) {
      this.#db
        .prepare(`UPDATE ${table} SET account = ? WHERE ad IN (SELECT ad FROM ad WHERE campaign_id = ?)`)
        .run(to, campaign_id)
    }
    this.#db.prepare('UPDATE ad SET account = ? WHERE campaign_id = ?').run(to, campaign_id)
    this.#db.prepare(RESOLVE_CAMPAIGN).run(campaign_id)
    this.#raiseVersion()
  }

  async listAds(): Promise<Ad[]> {
    return this.#db.prepare(`${READ_ADS} ORDER BY ad.account, ad`).all().map(adOf)
  }

  async listAdsOf(account: number): Promise<Ad[]> {
    return this.#db.prepare(`${READ_ADS} WHERE ad.account = ? ORDER BY ad`).all(account).map(adOf)
  }

  async readNode(id: string, level?: Level, accounts?: ReadonlySet<number>): Promise<Node | undefined> {
    if (id.startsWith('act_')) {
      const account = await this.readAccount(id.slice('act_'.length))
      return account && (accounts?.has(account.account) ?? true) ? nodeOfAccount(account) : undefined
    }
    const home = homeOf(this.#findHomes.all(id), level, accounts)
    if (home === undefined) return undefined
    return nodeOfAds(
      home.level,
      this.#readAds[home.level].all(id),
      accountIn(this.#readAccountOf.get(home.account) ?? {}),
    )
  }

  async readPlacement(ad_id: string): Promise<Placement | undefined> {
    const row = this.#readPlacement.get(ad_id)
    return (
      row && {
        ad: Number(row.ad),
        account: Number(row.account),
        page_ids: new Set(textsOf(row.page_ids)),
        floor_at: row.floor_at === null ? null : Number(row.floor_at),
      }
    )
  }

  async noteAdPage(ad: number, page_id: string): Promise<void> {
    this.#db.prepare('INSERT OR IGNORE INTO ad_page (page_id, ad) VALUES (?, ?)').run(page_id, ad)
  }

  async readPageLinks(page_id: string): Promise<ReadonlySet<number>> {
    const rows = this.#db.prepare('SELECT account FROM page_link WHERE page_id = ?').all(page_id)
    return new Set(rows.map((row) => Number(row.account)))
  }

  async readContext(account: number): Promise<AccountContext> {
    const row = this.#db.prepare('SELECT time_zone FROM account WHERE account = ?').get(account)
    const rates = this.#db.prepare('SELECT country, valid_from, price_micros FROM rate WHERE account = ?').all(account)
    return { calendar: calendarOf(String(row?.time_zone)), rateCard: new RateCard(rates.map(rateOf)) }
  }

  async writeRates(account: number, rates: readonly Rate[]): Promise<void> {
    const write = this.#db.prepare(WRITE_RATE)
    for (const { country, valid_from, price_micros } of rates) write.run(account, country, valid_from, price_micros)
    this.#db.prepare(RESOLVE_ACCOUNT).run(account)
    this.#raiseVersion()
  }

  async writeCountries(countries: ReadonlyMap<string, string>): Promise<void> {
    for (const [subscriber, country] of countries) this.#writeCountry.run(subscriber, country)
  }

  async resolveAll(): Promise<void> {
    this.#db.prepare(RESOLVE_ALL).run()
    this.#raiseVersion()
  }

  async readForgotten(): Promise<ReadonlyMap<string, number>> {
    const rows = this.#db.prepare('SELECT subscriber, until_at FROM forgotten').all()
    return new Map(rows.map((row) => [String(row.subscriber), Number(row.until_at)]))
  }

  async writeForgotten(subscriber: string, until_ms: number): Promise<void> {
    this.#db.prepare(WRITE_FORGOTTEN).run(subscriber, until_ms)
    this.#raiseVersion()
  }

  async removeForgotten(now_ms: number): Promise<void> {
    this.#db.prepare('DELETE FROM forgotten WHERE until_at <= ?').run(now_ms)
  }

  async readSetting(name: string): Promise<string | undefined> {
    const row = this.#db.prepare('SELECT value FROM setting WHERE name = ?').get(name)
    return row && String(row.value)
  }

  async writeSetting(name: string, value: string): Promise<void> {
    this.#db.prepare(WRITE_SETTING).run(name, value)
  }

  #raiseVersion(): void {
    this.#db.prepare(RAISE_VERSION).run()
  }

  /** What a page tells of is counted only in accounts that it is linked to: after the move it would be parked. */
  #refuseForeignPages(campaign_id: string, to: number): void {
    const pages = this.#db.prepare(LIST_FOREIGN_PAGES).all(campaign_id, to)
    if (pages.length === 0) return
    const account = this.#db.prepare('SELECT account_id FROM account WHERE account = ?').get(to)
    const links = pages.map(({ page_id }) => `--page ${page_id}`).join(' ')
    throw new RegistryError(
      `cannot move campaign ${campaign_id}: pages that tell of it are not linked to act_${account?.account_id}; ` +
        `link them with: readout account set act_${account?.account_id} ${links}`,
    )
  }

  /** A campaign or ad set above a new ad must stand in the ad's own account. */
  #refuseElsewhere({ account, adset_id, campaign_id }: AdFields): void {
    const campaign = this.#db.prepare('SELECT account FROM campaign WHERE campaign_id = ?').get(campaign_id)
    const adset = this.#db.prepare('SELECT account FROM adset WHERE adset_id = ?').get(adset_id)
    const isElsewhere = [campaign, adset].some((row) => row !== undefined && Number(row.account) !== account)
    if (!isElsewhere) return
    throw new RegistryError(
      `cannot add campaign ${campaign_id}: it is registered in another account; move it with: readout campaign move ${campaign_id} --to act_ID`,
    )
  }
}

function accountIn(row: Record<string, unknown>): Account {
  return accountOf(row, textsOf(row.page_ids))
}

function rateOf(row: Record<string, unknown>): Rate {
  return {
    country: String(row.country),
    valid_from: Number(row.valid_from),
    price_micros: BigInt(Number(row.price_micros)),
  }
}

function textsOf(json: unknown): string[] {
  return JSON.parse(String(json ?? '[]')) as string[]
}
