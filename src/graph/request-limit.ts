const HOUR_MS = 3_600_000

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
    // An hour that ends later than in an hour began while the clock was ahead.
    const isNow = known !== undefined && known.ends_at > now_ms && known.ends_at <= now_ms + HOUR_MS
    const hour = isNow ? known : { ends_at: now_ms + HOUR_MS, calls: 0 }
    this.#hours.set(token_hash, hour)
    const isPast = hour.calls >= this.#per_hour
    if (!isPast) hour.calls++
    const percent = Math.floor((hour.calls / this.#per_hour) * 100)
    return { percent, resets_in_s: Math.ceil((hour.ends_at - now_ms) / 1000), isPast }
  }
}
