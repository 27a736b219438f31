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
import { accountOf, adOf, homeOf, nodeOfAccount, nodeOfAds } from '../registry-rows.ts'
import { moveAds } from './move.ts'
import { columnsOf, type Row, type Session } from './session.ts'

export const READ_VERSION = "SELECT value FROM setting WHERE name = 'registry_version'"

const RAISE_VERSION = `
  UPDATE setting SET value = value::bigint + 1 WHERE name = 'registry_version' RETURNING value`

const READ_ACCOUNTS = `
  SELECT account, account_id, name, currency, time_zone,
    ARRAY(SELECT page_id FROM page_link WHERE page_link.account = account.account ORDER BY page_id) AS page_ids
  FROM account`

const ADD_ACCOUNT = 'INSERT INTO account (account_id, name, currency, time_zone) VALUES ($1, $2, $3, $4)'

const SET_ACCOUNT = 'UPDATE account SET name = $2, currency = $3, time_zone = $4 WHERE account = $1'

const LINK_PAGES = 'INSERT INTO page_link (account, page_id) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING'

const UNLINK_PAGES = 'DELETE FROM page_link WHERE account = $1 AND page_id = ANY($2::text[])'

const READ_ADS = `
  SELECT ad, ad.account, ad_id, ad.name AS ad_name, adset_id, adset.name AS adset_name, ad.campaign_id,
    campaign.name AS campaign_name, status, created_at, updated_at, details
  FROM ad JOIN adset USING (adset_id) JOIN campaign ON campaign.campaign_id = ad.campaign_id`

/** Of an id that is nobody's, or another tenant's, no more is read. */
const FIND_HOMES = `
  SELECT 'campaign' AS level, account FROM campaign WHERE campaign_id = $1
  UNION ALL SELECT 'adset', account FROM adset WHERE adset_id = $1
  UNION ALL SELECT 'ad', account FROM ad WHERE ad_id = $1`

const LIST_CAMPAIGNS = `
  SELECT campaign_id, account_id, campaign.name,
    (SELECT COUNT(*) FROM ad WHERE ad.campaign_id = campaign.campaign_id) AS ads
  FROM campaign JOIN account USING (account) ORDER BY account_id, campaign_id`

const READ_PLACEMENT = `
  SELECT ad, account, floor_at FROM ad LEFT JOIN pruned_ad USING (account, ad) WHERE ad_id = $1`

const READ_AD_PAGES = 'SELECT DISTINCT page_id FROM ad_page WHERE ad = ANY($1::integer[]) ORDER BY page_id'

const ADD_CAMPAIGN = `
  INSERT INTO campaign (campaign_id, account, name, created_at, updated_at) VALUES ($1, $2, $3, $4::bigint, $4::bigint)
  ON CONFLICT (campaign_id) DO UPDATE SET updated_at = COALESCE(excluded.updated_at, campaign.updated_at)`

const ADD_ADSET = `
  INSERT INTO adset (adset_id, account, campaign_id, name) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`

const ADD_AD = `
  INSERT INTO ad (ad_id, account, adset_id, campaign_id, name) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`

const READ_HOME = `
  SELECT account, campaign_id, adset_id, (SELECT account FROM campaign WHERE campaign_id = $1) AS campaign_account,
    (SELECT account FROM adset WHERE adset_id = $2) AS adset_account
  FROM ad WHERE ad_id = $3`

const ADD_AD_LOCK = 'INSERT INTO ad_lock (account, ad) VALUES ($1, $2) ON CONFLICT DO NOTHING'

/** Another server may note the same page, so whoever does holds what registering an ad holds. */
const HOLD_VERSION = `${READ_VERSION} FOR UPDATE`

const NOTE_AD_PAGE = 'INSERT INTO ad_page (page_id, ad) VALUES ($1, $2) ON CONFLICT DO NOTHING'

const SET_CAMPAIGN = `
  UPDATE campaign SET status = COALESCE($2, status), details = COALESCE($3, details), updated_at = $4
  WHERE campaign_id = $1`

/** What has the campaign's id is called as it is, unless it was given a name of its own. */
const renameBelow = (level: string) => `
  SET name = $1 WHERE ${level}_id = $2 AND campaign_id = $2
    AND name = (SELECT name FROM campaign WHERE campaign_id = $2)`

const RESOLVE = `
  INSERT INTO unresolved_ad (account, ad, after_subscriber) SELECT account, ad, '' FROM ad
  WHERE ($1::integer IS NULL OR account = $1) AND ($2::text IS NULL OR campaign_id = $2)
  ON CONFLICT (account, ad) DO UPDATE SET after_subscriber = ''`

const LIST_ADS_OF_CAMPAIGN = 'SELECT ad FROM ad WHERE campaign_id = $1'

const LIST_FOREIGN_PAGES = `
  SELECT DISTINCT page_id FROM page_link WHERE page_id = ANY($1::text[])
    AND NOT EXISTS (SELECT FROM page_link AS own WHERE own.page_id = page_link.page_id AND own.account = $2)
  ORDER BY page_id`

const WRITE_RATES = `
  INSERT INTO rate (account, country, valid_from, price_micros)
  SELECT $1::integer, * FROM unnest($2::text[], $3::integer[], $4::bigint[])
  ON CONFLICT (account, country, valid_from) DO UPDATE SET price_micros = excluded.price_micros`

const WRITE_COUNTRIES = `
  INSERT INTO subscriber (subscriber, country) SELECT * FROM unnest($1::text[], $2::text[])
  ON CONFLICT (subscriber) DO UPDATE SET country = excluded.country`

const WRITE_FORGOTTEN = `
  INSERT INTO forgotten (subscriber, until_at) VALUES ($1, $2)
  ON CONFLICT (subscriber) DO UPDATE SET until_at = GREATEST(forgotten.until_at, excluded.until_at)`

const WRITE_SETTING = `
  INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`

export class PostgresRegistry implements Registry {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async readVersion(): Promise<number> {
    return this.#session.registry_version ?? Number((await this.#session.row(READ_VERSION))?.value)
  }

  async listAccounts(): Promise<Account[]> {
    return (await this.#session.rows(`${READ_ACCOUNTS} ORDER BY account_id`)).map(accountIn)
  }

  async readAccount(account_id: string): Promise<Account | undefined> {
    const row = await this.#session.row(`${READ_ACCOUNTS} WHERE account_id = $1`, account_id)
    return row && accountIn(row)
  }

  async addAccount(fields: AccountFields): Promise<Account> {
    const { account_id, name, currency, time_zone, page_ids } = fields
    if ((await this.readAccount(account_id)) !== undefined) {
      throw new RegistryError(
        `cannot add account act_${account_id}: it is there already; change it with: readout account set act_${account_id}`,
      )
    }
    await this.#session.run(ADD_ACCOUNT, account_id, name, currency, time_zone)
    return this.setAccount(account_id, { link_page_ids: page_ids, unlink_page_ids: [] })
  }

  async setAccount(account_id: string, change: AccountChange): Promise<Account> {
    const before = await this.readAccount(account_id)
    if (before === undefined) {
      throw new RegistryError(`cannot set account act_${account_id}: there is none; see: readout account list`)
    }
    const { account } = before
    const { name = before.name, currency = before.currency, time_zone = before.time_zone } = change
    await this.#session.run(SET_ACCOUNT, account, name, currency, time_zone)
    await this.#session.run(LINK_PAGES, account, change.link_page_ids)
    await this.#session.run(UNLINK_PAGES, account, change.unlink_page_ids)
    if (time_zone !== before.time_zone) await this.#session.run(RESOLVE, account, null)
    await raiseVersion(this.#session)
    return (await this.readAccount(account_id)) as Account
  }

  async listCampaigns(): Promise<Campaign[]> {
    const rows = await this.#session.rows(LIST_CAMPAIGNS)
    return rows.map((row) => ({
      campaign_id: String(row.campaign_id),
      account_id: String(row.account_id),
      name: String(row.name),
      ads: Number(row.ads),
    }))
  }

  /** Raising the version comes first: servers that register ads at once do so one after another, and find what is there. */
  async addAd(ad: AdFields, at_ms?: number): Promise<Placement> {
    const { account, ad_id, adset_id, campaign_id } = ad
    await raiseVersion(this.#session)
    await this.#session.run(ADD_CAMPAIGN, campaign_id, account, ad.campaign_name, at_ms ?? null)
    await this.#session.run(ADD_ADSET, adset_id, account, campaign_id, ad.adset_name)
    await this.#session.run(ADD_AD, ad_id, account, adset_id, campaign_id, ad.ad_name)
    await this.#refuseElsewhere(ad)
    const placement = (await this.readPlacement(ad_id)) as Placement
    await this.#session.run(ADD_AD_LOCK, account, placement.ad)
    return placement
  }

  async setCampaign(campaign_id: string, { status, details, updated_at }: CampaignChange): Promise<void> {
    const json = details === undefined ? null : JSON.stringify(details)
    await this.#session.run(SET_CAMPAIGN, campaign_id, status ?? null, json, updated_at)
    await raiseVersion(this.#session)
  }

  async rename(level: Exclude<Level, 'account'>, id: string, name: string): Promise<void> {
    if (level === 'campaign') {
      for (const below of ['adset', 'ad']) await this.#session.run(`UPDATE ${below} ${renameBelow(below)}`, name, id)
    }
    await this.#session.run(`UPDATE ${level} SET name = $1 WHERE ${level}_id = $2`, name, id)
    await raiseVersion(this.#session)
  }

  async moveCampaign(campaign_id: string, to: number): Promise<void> {
    await this.#refuseForeignPages(campaign_id, to)
    await moveAds(this.#session, campaign_id, to)
    for (const table of ['campaign', 'adset', 'ad']) {
      await this.#session.run(`UPDATE ${table} SET account = $1 WHERE campaign_id = $2`, to, campaign_id)
    }
    await this.#session.run(RESOLVE, null, campaign_id)
    await raiseVersion(this.#session)
  }

  async listAds(): Promise<Ad[]> {
    return (await this.#session.rows(`${READ_ADS} ORDER BY ad.account, ad`)).map(adOf)
  }

  async listAdsOf(account: number): Promise<Ad[]> {
    return (await this.#session.rows(`${READ_ADS} WHERE ad.account = $1 ORDER BY ad`, account)).map(adOf)
  }

  async readNode(id: string, level?: Level, accounts?: ReadonlySet<number>): Promise<Node | undefined> {
    if (id.startsWith('act_')) {
      const account = await this.readAccount(id.slice('act_'.length))
      return account && (accounts?.has(account.account) ?? true) ? nodeOfAccount(account) : undefined
    }
    const home = homeOf(await this.#session.rows(FIND_HOMES, id), level, accounts)
    if (home === undefined) return undefined
    const ads = await this.#session.rows(`${READ_ADS} WHERE ad.${home.level}_id = $1 ORDER BY ad`, id)
    const account = await this.#session.row(`${READ_ACCOUNTS} WHERE account = $1`, home.account)
    return nodeOfAds(home.level, ads, accountIn(account ?? {}))
  }

  async readPlacement(ad_id: string): Promise<Placement | undefined> {
    const row = await this.#session.row(READ_PLACEMENT, ad_id)
    if (row === undefined) return undefined
    const ad = Number(row.ad)
    const page_ids = new Set(await this.#readAdPages([ad]))
    return { ad, account: Number(row.account), page_ids, floor_at: row.floor_at as number | null }
  }

  async noteAdPage(ad: number, page_id: string): Promise<void> {
    await this.#session.run(HOLD_VERSION)
    await this.#session.run(NOTE_AD_PAGE, page_id, ad)
  }

  async readPageLinks(page_id: string): Promise<ReadonlySet<number>> {
    const rows = await this.#session.rows('SELECT account FROM page_link WHERE page_id = $1', page_id)
    return new Set(rows.map((row) => Number(row.account)))
  }

  async readContext(account: number): Promise<AccountContext> {
    const row = await this.#session.row('SELECT time_zone FROM account WHERE account = $1', account)
    const rates = await this.#session.rows(
      'SELECT country, valid_from, price_micros::numeric FROM rate WHERE account = $1',
      account,
    )
    return { calendar: calendarOf(String(row?.time_zone)), rateCard: new RateCard(rates.map(rateOf)) }
  }

  async writeRates(account: number, rates: readonly Rate[]): Promise<void> {
    // Of two prices for the same country and day the last stands.
    const distinct = new Map(rates.map((rate) => [`${rate.country} ${rate.valid_from}`, rate]))
    const rows = [...distinct.values()].map(({ country, valid_from, price_micros }) => [
      country,
      valid_from,
      price_micros,
    ])
    await this.#session.run(WRITE_RATES, account, ...columnsOf(rows, 3))
    await this.#session.run(RESOLVE, account, null)
    await raiseVersion(this.#session)
  }

  async writeCountries(countries: ReadonlyMap<string, string>): Promise<void> {
    await this.#session.run(WRITE_COUNTRIES, [...countries.keys()], [...countries.values()])
  }

  async resolveAll(): Promise<void> {
    await this.#session.run(RESOLVE, null, null)
    await raiseVersion(this.#session)
  }

  async readForgotten(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#session.rows('SELECT subscriber, until_at FROM forgotten')
    return new Map(rows.map((row) => [String(row.subscriber), Number(row.until_at)]))
  }

  async writeForgotten(subscriber: string, until_ms: number): Promise<void> {
    await this.#session.run(WRITE_FORGOTTEN, subscriber, until_ms)
    await raiseVersion(this.#session)
  }

  async removeForgotten(now_ms: number): Promise<void> {
    await this.#session.run('DELETE FROM forgotten WHERE until_at <= $1', now_ms)
  }

  async readSetting(name: string): Promise<string | undefined> {
    const row = await this.#session.row('SELECT value FROM setting WHERE name = $1', name)
    return row && String(row.value)
  }

  async writeSetting(name: string, value: string): Promise<void> {
    await this.#session.run(WRITE_SETTING, name, value)
  }

  /** The pages that told of any of some ads. */
  async #readAdPages(ads: readonly number[]): Promise<string[]> {
    return (await this.#session.rows(READ_AD_PAGES, ads)).map(({ page_id }) => String(page_id))
  }

  /** What a page tells of is counted only in accounts that it is linked to: after the move it would be parked. */
  async #refuseForeignPages(campaign_id: string, to: number): Promise<void> {
    const ads = await this.#session.rows(LIST_ADS_OF_CAMPAIGN, campaign_id)
    const told = await this.#readAdPages(ads.map(({ ad }) => Number(ad)))
    const pages = await this.#session.rows(LIST_FOREIGN_PAGES, told, to)
    if (pages.length === 0) return
    const account = await this.#session.row('SELECT account_id FROM account WHERE account = $1', to)
    const links = pages.map(({ page_id }) => `--page ${page_id}`).join(' ')
    throw new RegistryError(
      `cannot move campaign ${campaign_id}: pages that tell of it are not linked to act_${account?.account_id}; ` +
        `link them with: readout account set act_${account?.account_id} ${links}`,
    )
  }

  /** What was there before the ad was added must be what was to be added. */
  async #refuseElsewhere({ account, ad_id, adset_id, campaign_id }: AdFields): Promise<void> {
    const home = await this.#session.row(READ_HOME, campaign_id, adset_id, ad_id)
    const isHere = [home?.campaign_account, home?.adset_account, home?.account].every((one) => one === account)
    if (isHere && home?.campaign_id === campaign_id && home.adset_id === adset_id) return
    throw new RegistryError(
      `cannot add campaign ${campaign_id}: it is registered in another account; move it with: readout campaign move ${campaign_id} --to act_ID`,
    )
  }
}

/** Whoever remembers something of the registry, or a token, forgets it when the version is another. */
export async function raiseVersion(session: Session): Promise<void> {
  const row = await session.row(RAISE_VERSION)
  session.registry_version = Number(row?.value)
}

function accountIn(row: Row): Account {
  return accountOf(row, row.page_ids as string[])
}

function rateOf(row: Row): Rate {
  return {
    country: String(row.country),
    valid_from: Number(row.valid_from),
    price_micros: row.price_micros as bigint,
  }
}
