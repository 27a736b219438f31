import type { Day } from './day.ts'

/** The price of one delivered message to a country from a day on; the country `*` is any country. */
export interface Rate {
  readonly country: string
  readonly valid_from: Day
  readonly price_micros: bigint
}

export const ANY_COUNTRY = '*'

/** What an account pays for one delivered message, by country and delivery day. */
export class RateCard {
  readonly #byCountry = new Map<string, Rate[]>()

  constructor(rates: Iterable<Rate>) {
    const newestFirst = [...rates].sort((a, b) => b.valid_from - a.valid_from)
    for (const rate of newestFirst) {
      const known = this.#byCountry.get(rate.country)
      if (known === undefined) this.#byCountry.set(rate.country, [rate])
      else known.push(rate)
    }
  }

  /** The country's own rate as of the day, else the rate for any country; `null` when neither is known. */
  priceOf(country: string | null, day: Day): bigint | null {
    return (country === null ? null : this.#asOf(country, day)) ?? this.#asOf(ANY_COUNTRY, day)
  }

  #asOf(country: string, day: Day): bigint | null {
    return this.#byCountry.get(country)?.find((rate) => rate.valid_from <= day)?.price_micros ?? null
  }
}
