import { parseCountry } from '../domain/country.ts'
import { parseDay } from '../domain/day.ts'
import { PRICE_MICROS_MAX, parseMicros } from '../domain/money.ts'
import { ANY_COUNTRY, type Rate } from '../domain/rate-card.ts'
import type { Store } from '../store/store.ts'
import { type RowsImported, readCsv } from './csv.ts'

/**
 * Adds the rows of a `country,price,valid_from` file to an account's rate card, and has its threads resolved anew; the
 * caller catches up. Prices are in units of the account's currency. A bad row is reported, and left out.
 */
export async function importRates(
  file: string,
  store: Store,
  account: number,
  onBadRow: (line: number, reason: string) => void,
): Promise<RowsImported> {
  const rates: Rate[] = []
  let bad_rows = 0
  for await (const { line, cells } of readCsv(file, ['country', 'price', 'valid_from'])) {
    const rate = parseRate(cells)
    if (typeof rate !== 'string') rates.push(rate)
    else {
      bad_rows++
      onBadRow(line, rate)
    }
  }
  await store.write(({ registry }) => registry.writeRates(account, rates))
  return { rows: rates.length, bad_rows }
}

/** Parses a row to a rate, or to the reason why it is none. */
function parseRate({ country = '', price = '', valid_from = '' }: Readonly<Record<string, string>>): Rate | string {
  const named = country === ANY_COUNTRY ? ANY_COUNTRY : parseCountry(country)
  const price_micros = parseMicros(price)
  const day = parseDay(valid_from)
  if (named === undefined)
    return `country is ${JSON.stringify(country)}: it must be the ISO 3166-1 code of a country, or * for any`
  if (price_micros === undefined || price_micros > PRICE_MICROS_MAX) {
    return `price is ${JSON.stringify(price)}: it must be an amount such as 0.0141, at most a million, with at most six decimals`
  }
  if (day === undefined) return `valid_from is ${JSON.stringify(valid_from)}: it must be a day such as 2026-01-31`
  return { country: named, price_micros, valid_from: day }
}
