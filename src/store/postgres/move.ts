import type { Session } from './session.ts'
import { TENANT_TABLES } from './tenant.ts'

/** The tables whose rows are of an ad, and in its account. */
const TABLES_OF_ADS = [...TENANT_TABLES.filter((table) => table !== 'tenant'), 'pruned_ad', 'unresolved_ad']

const READ_ADS =
  'SELECT account, ARRAY_AGG(ad) AS ads FROM ad WHERE campaign_id = $1 AND account <> $2 GROUP BY account'

const LIST_COLUMNS = `
  SELECT quote_ident(attname) AS name FROM pg_attribute
  WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'account'`

/**
 * Puts all rows of a campaign's ads under another account. They are written anew and not changed: a row stands on the shard
 * that its account names, so its account is never changed.
 */
export async function moveAds(session: Session, campaign_id: string, to: number): Promise<void> {
  for (const { account, ads } of await session.rows(READ_ADS, campaign_id, to)) {
    for (const table of TABLES_OF_ADS) {
      const columns = (await session.rows(LIST_COLUMNS, table)).map(({ name }) => String(name)).join(', ')
      const copy = `INSERT INTO ${table} (account, ${columns}) SELECT $3::integer, ${columns}`
      const ofAds = `FROM ${table} WHERE account = $1 AND ad = ANY($2::integer[])`
      await session.run(`${copy} ${ofAds}`, Number(account), ads as number[], to)
      await session.run(`DELETE ${ofAds}`, Number(account), ads as number[])
    }
  }
}
