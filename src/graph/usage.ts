import type { Context } from './context.ts'
import { findVisibleNode } from './node.ts'
import { findVisibleRun } from './report-run.ts'
import type { Usage } from './request-limit.ts'

/** Meta's word for the greater of its quotas. */
const TIER = 'standard_access'

/** The throttle headers of an answer, by name. */
export type UsageHeaders = Readonly<Record<string, string>>

/** The ad account that a call is about, and Meta's word for what is asked of it. */
export interface Business {
  readonly account_id: string
  readonly type: 'ads_insights' | 'ads_management'
}

/** What a call is about; `undefined` where that is no ad account, or none that the token may see. */
export async function findBusiness(context: Context): Promise<Business | undefined> {
  const { id = '', edge } = context.call.path
  const node = await findVisibleNode(context, id)
  if (node !== undefined) {
    return { account_id: node.names.account_id ?? '', type: edge === 'insights' ? 'ads_insights' : 'ads_management' }
  }
  const run = await findVisibleRun(context, id)
  return run && { account_id: run.account_id, type: 'ads_insights' }
}

/**
 * The throttle headers, true to our own limit (contract 8): calls alone are limited, by token, so times used are none.
 * Past the limit they say when to come again. Without a limit nothing is used; the header of the account is there all the
 * same, and the one that Airbyte dies without.
 */
export function formatUsage(usage: Usage | undefined, business: Business | undefined): UsageHeaders {
  const named = business === undefined ? {} : { 'x-business-use-case-usage': formatBusiness(business, usage) }
  if (usage === undefined) return { ...NO_USAGE, ...named }
  const { percent, resets_in_s } = usage
  const app = { call_count: percent, total_time: 0, total_cputime: 0 }
  const account = { acc_id_util_pct: percent, reset_time_duration: resets_in_s, ads_api_access_tier: TIER }
  return {
    ...formatInsightsUsage(percent),
    'x-app-usage': JSON.stringify(app),
    'x-ad-account-usage': JSON.stringify(account),
    ...(usage.isPast && { 'retry-after': String(resets_in_s) }),
    ...named,
  }
}

function formatInsightsUsage(percent: number): UsageHeaders {
  const used = { app_id_util_pct: percent, acc_id_util_pct: percent, ads_api_access_tier: TIER }
  return { 'x-fb-ads-insights-throttle': JSON.stringify(used) }
}

/** What has no limit, or is not counted, uses nothing. */
export const NO_USAGE = formatInsightsUsage(0)

/** What every account that nothing limits is told, by itself and by what is asked of it. */
const unlimited = new Map<string, string>()
const UNLIMITED_MAX = 5000

function formatBusiness(business: Business, usage: Usage | undefined): string {
  if (usage !== undefined) return formatBusinessUsage(business, usage)
  const key = `${business.account_id} ${business.type}`
  let text = unlimited.get(key)
  if (text === undefined) {
    if (unlimited.size >= UNLIMITED_MAX) unlimited.clear()
    text = formatBusinessUsage(business, usage)
    unlimited.set(key, text)
  }
  return text
}

function formatBusinessUsage({ account_id, type }: Business, usage: Usage | undefined): string {
  const used = {
    type,
    call_count: usage?.percent ?? 0,
    total_cputime: 0,
    total_time: 0,
    estimated_time_to_regain_access: usage?.isPast ? Math.ceil(usage.resets_in_s / 60) : 0,
    ads_api_access_tier: TIER,
  }
  return JSON.stringify({ [account_id]: [used] })
}
