import { parseCountry } from '../domain/country.ts'
import type { Store } from '../store/store.ts'
import { CsvFileError, type RowsImported, readCsv } from './csv.ts'
import { isToken, TOKEN_FORM } from './fact.ts'
import type { Pseudonyms } from './pseudonym.ts'

/** Rows committed together. */
const ROWS_MAX = 10_000

/**
 * Adds the rows of a `token,country` file to the subscriber list, and has every thread resolved anew; the caller
 * catches up. A bad row is reported, and left out. Rejects with a CsvFileError for a file that cannot be read to its end, and
 * says in it how many rows were added before, if any were.
 */
export async function importSubscribers(
  file: string,
  store: Store,
  pseudonyms: Pseudonyms,
  onBadRow: (line: number, reason: string) => void,
): Promise<RowsImported> {
  const imported: RowsImported = { rows: 0, bad_rows: 0 }
  let countries = new Map<string, string>()
  try {
    for await (const { line, cells } of readCsv(file, ['token', 'country'])) {
      const country = parseCountry(cells.country ?? '')
      const token = cells.token ?? ''
      if (country !== undefined && isToken(token)) {
        countries.set(pseudonyms.subscriber(token), country)
        imported.rows++
      } else {
        imported.bad_rows++
        onBadRow(line, country === undefined ? countryReason(cells.country) : `token must be ${TOKEN_FORM}`)
      }
      if (countries.size < ROWS_MAX) continue
      await writeCountries(store, countries)
      countries = new Map()
    }
  } catch (cause) {
    if (!(cause instanceof CsvFileError) || imported.rows === 0) throw cause
    await writeCountries(store, countries)
    throw new CsvFileError(`${cause.message}; the ${imported.rows} rows before it are added`, { cause })
  }
  await writeCountries(store, countries)
  return imported
}

/** An import that is interrupted leaves no country behind that nobody resolves. */
async function writeCountries(store: Store, countries: ReadonlyMap<string, string>): Promise<void> {
  await store.write(async ({ registry }) => {
    await registry.writeCountries(countries)
    await registry.resolveAll()
  })
}

function countryReason(text: string | undefined): string {
  return `country is ${JSON.stringify(text ?? '')}: it must be the ISO 3166-1 code of a country`
}
