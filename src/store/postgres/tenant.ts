import { ROLLUP_TABLES } from '../rollup-cells.ts'
import { THREAD_TABLES } from '../thread-rows.ts'
import type { Scalar, Session } from './session.ts'

/** The tables whose rows are an account's, which stands first in their keys: Citus keeps an account's rows on one shard. */
export const TENANT_TABLES: readonly string[] = [
  'tenant',
  'ad_lock',
  ...THREAD_TABLES,
  ...ROLLUP_TABLES.map(({ name }) => name),
  'pruned_message',
  'baseline',
]

/**
 * Tables that Citus copies to every node. `subscriber` is read beside threads. `ad_page` is written by every batch that
 * registers an ad: what writes to a copied table is committed in two phases, so the ad's number, which the coordinator gives,
 * and the threads under it are there together or not at all.
 */
export const COPIED_TABLES: readonly string[] = ['subscriber', 'ad_page']

/**
 * Rows of one account, `$1`, from arrays that follow it, to be inserted. They are joined to the account's own row: from that
 * Citus knows the one shard they go to, where it would else gather them at the coordinator and commit in two phases.
 */
export function rowsOfTenant(arrays: string): string {
  return `SELECT tenant.account, added.* FROM tenant, unnest(${arrays}) AS added WHERE tenant.account = $1`
}

/** Runs a statement made with `rowsOfTenant`; every row must be written. */
export async function writeRows(
  session: Session,
  sql: string,
  account: number,
  columns: readonly (readonly Scalar[])[],
): Promise<void> {
  const written = await session.run(sql, account, ...columns)
  if (written === columns[0]?.length) return
  throw new Error(`cannot write rows of account number ${account}: it has no row in the table tenant`)
}
