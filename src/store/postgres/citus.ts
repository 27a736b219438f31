import type { Session } from './session.ts'
import { COPIED_TABLES, TENANT_TABLES } from './tenant.ts'

/** Those of our tables, beginning with `tenant`, that Citus does not have yet. */
const LIST_MISSING = `
  SELECT name FROM unnest($1::text[]) WITH ORDINALITY AS ours (name, place)
  WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = name::regclass)
  ORDER BY place`

const COPY_TO_EVERY_NODE = 'SELECT create_reference_table($1::regclass)'

const BEGIN_COLOCATION = "SELECT create_distributed_table($1::regclass, 'account', colocate_with => 'none')"

const COLOCATE = "SELECT create_distributed_table($1::regclass, 'account', colocate_with => 'tenant')"

/** Whether a table is not where Citus is to have it. Only for a database that has the extension. */
export async function isScattered(session: Session): Promise<boolean> {
  return (await listMissing(session)).length > 0
}

/**
 * Gives the tables of tenants, and those that are copied, to Citus, with the rows that they hold. Whatever a migration adds
 * to them is given with the next call, so a migration itself says nothing of Citus.
 */
export async function scatter(session: Session): Promise<void> {
  for (const table of await listMissing(session)) await session.rows(statementFor(table), table)
}

async function listMissing(session: Session): Promise<string[]> {
  return (await session.rows(LIST_MISSING, [...COPIED_TABLES, ...TENANT_TABLES])).map(({ name }) => String(name))
}

function statementFor(table: string): string {
  if (COPIED_TABLES.includes(table)) return COPY_TO_EVERY_NODE
  return table === 'tenant' ? BEGIN_COLOCATION : COLOCATE
}
