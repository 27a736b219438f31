import {
  type Account,
  type Ad,
  type CampaignState,
  type CampaignStatus,
  type Level,
  type Node,
  sharedNames,
} from './registry.ts'
import { ACCOUNT_CELLS } from './rollup-cells.ts'

/** A row as either engine has it. */
type Row = Readonly<Record<string, unknown>>

/** In this order an id is looked for: the highest level that has it is meant. */
export const NODE_LEVELS = ['campaign', 'adset', 'ad'] as const

export type NodeLevel = (typeof NODE_LEVELS)[number]

export function accountOf(row: Row, page_ids: readonly string[]): Account {
  return {
    account: Number(row.account),
    account_id: String(row.account_id),
    name: String(row.name),
    currency: String(row.currency),
    time_zone: String(row.time_zone),
    page_ids,
  }
}

export function adOf(row: Row): Ad {
  return {
    ad: Number(row.ad),
    account: Number(row.account),
    ad_id: String(row.ad_id),
    ad_name: String(row.ad_name),
    adset_id: String(row.adset_id),
    adset_name: String(row.adset_name),
    campaign_id: String(row.campaign_id),
    campaign_name: String(row.campaign_name),
    status: row.status as CampaignStatus,
  }
}

export function nodeOfAccount(account: Account): Node {
  return { ...sharedOf(account), level: 'account', names: namesOf(account), ads: [ACCOUNT_CELLS] }
}

/** The campaign, ad set or ad that these ads are of. */
export function nodeOfAds(level: NodeLevel, rows: readonly Row[], account: Account): Node {
  const ads = rows.map(adOf)
  const names = { ...namesOf(account), ...sharedNames(level, ads) }
  return { ...sharedOf(account), level, names, ads: ads.map(({ ad }) => ad), campaign: stateOf(rows[0] ?? {}) }
}

/** Where an id is registered: the first of the rows of its levels, unless that is in none of the accounts asked. */
export function homeOf(
  rows: readonly Row[],
  level: Level | undefined,
  accounts: ReadonlySet<number> | undefined,
): { readonly level: NodeLevel; readonly account: number } | undefined {
  for (const one of NODE_LEVELS) {
    const row = level === undefined || level === one ? rows.find((found) => found.level === one) : undefined
    if (row === undefined) continue
    const account = Number(row.account)
    return accounts === undefined || accounts.has(account) ? { level: one, account } : undefined
  }
  return undefined
}

function sharedOf({ account, currency, time_zone }: Account): Pick<Node, 'account' | 'currency' | 'time_zone'> {
  return { account, currency, time_zone }
}

function namesOf({ account_id, name, currency }: Account): Record<string, string> {
  return { account_id, account_name: name, account_currency: currency }
}

function stateOf(row: Row): CampaignState {
  return {
    status: row.status as CampaignStatus,
    created_at: row.created_at === null ? null : Number(row.created_at),
    updated_at: row.updated_at === null ? null : Number(row.updated_at),
    details: JSON.parse(String(row.details)) as Record<string, unknown>,
  }
}
