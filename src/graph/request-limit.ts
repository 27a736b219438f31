const HOUR_MS = 3_600_000

/** Meta's word for the greater of its quotas. */
const TIER = 'standard_access'

/** What a token has used of its hour. */
export interface Usage {
  /** Whole percent; past 100 the call is refused. */
  readonly percent: number
  readonly resets_in_s: number
  readonly isPast: boolean
}

/** Counts the calls of each token by the hour that starts with its first call. There are as many counts as tokens. */
export class RequestLimit {
  readonly #per_hour: number
  readonly #hours = new Map<string, { readonly ends_at: number; calls: number }>()

  constructor(per_hour: number) {
    this.#per_hour = per_hour
  }

  count(token_hash: string, now_ms: number): Usage {
    const known = this.#hours.get(token_hash)
    const hour = known !== undefined && known.ends_at > now_ms ? known : { ends_at: now_ms + HOUR_MS, calls: 0 }
    this.#hours.set(token_hash, hour)
    const isPast = hour.calls >= this.#per_hour
    if (!isPast) hour.calls++
    const percent = Math.floor((hour.calls / this.#per_hour) * 100)
    return { percent, resets_in_s: Math.ceil((hour.ends_at - now_ms) / 1000), isPast }
  }
}

/**
 * The throttle headers, true to our own limit: calls alone are limited, by token, so times used are none and the header
 * per business is not sent (contract 8). Without a limit only the one is sent that Airbyte dies without.
 */
export function formatUsage(usage: Usage | undefined): Readonly<Record<string, string>> {
  if (usage === undefined) return UNLIMITED
  const { percent, resets_in_s } = usage
  const app = { call_count: percent, total_time: 0, total_cputime: 0 }
  const account = { acc_id_util_pct: percent, reset_time_duration: resets_in_s, ads_api_access_tier: TIER }
  return {
    ...formatInsightsUsage(percent),
    'x-app-usage': JSON.stringify(app),
    'x-ad-account-usage': JSON.stringify(account),
  }
}

function formatInsightsUsage(percent: number): Readonly<Record<string, string>> {
  const used = { app_id_util_pct: percent, acc_id_util_pct: percent, ads_api_access_tier: TIER }
  return { 'x-fb-ads-insights-throttle': JSON.stringify(used) }
}

const UNLIMITED = formatInsightsUsage(0)
