import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { DatabaseError, type OpenOptions } from '../store.ts'
import { isScattered, scatter } from './citus.ts'
import { describePostgres, openingError } from './error.ts'
import { Session } from './session.ts'

/** Of one store; a server has a store in each of its threads, and one for each report that is made. */
const CONNECTIONS_MAX = 4
const CONNECT_MS_MAX = 5000
/** How long a connection that nobody needs is kept. */
const IDLE_MS_MAX = 60_000
/** A transaction in which nothing happens for so long is ended: whoever holds it has died, or hangs. */
const IDLE_IN_TRANSACTION_MS_MAX = 120_000
/** How long a statement waits for what another transaction holds before it fails. */
const BUSY_MS_MAX = 10_000
/** The longest statement. */
const STATEMENT_MS_MAX = 60_000
/** How much longer than the database itself we wait, before we take the connection for dead. */
const ANSWER_MS_MAX = 5000
/** For what may take hours: a migration, or a vacuum. */
export const SLOW_MS_MAX = 86_400_000
/** How long a connection is silent before the system asks whether anyone is there. */
const KEEP_ALIVE_MS = 10_000

/** Every statement of ours goes by a key, and the planner is to know it before a table has statistics. */
const PLANS = { enable_seqscan: 'off', enable_hashjoin: 'off', enable_mergejoin: 'off', jit: 'off' }

/**
 * Citus reads all shards of a worker over one connection, and so as of one moment: over several, what is read of an account first
 * and what is read of it then could be on either side of a commit. Means nothing elsewhere.
 */
const SNAPSHOTS = { 'citus.max_adaptive_executor_pool_size': '1' }

/** SQLSTATE type numbers: `bigint` is a number, `numeric` a bigint (see Session). */
const [BIGINT, NUMERIC] = [20, 1700]

const MIGRATIONS = join(import.meta.dirname, 'migrations')

/** What the advisory locks of a database are about; each schema has its own. */
export const LOCKS = { registry: 1, migration: 2 } as const

/** Opens a pool of connections; none is made before it is needed, and one that breaks is replaced. */
export function openPool(
  url: string,
  { busy_ms_max = BUSY_MS_MAX, statement_ms_max = STATEMENT_MS_MAX }: OpenOptions,
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: withOptions(url, {
      ...PLANS,
      ...SNAPSHOTS,
      synchronous_commit: 'on',
      lock_timeout: String(busy_ms_max),
      // The connection that has claimed a report is silent for as long as the report is made.
      idle_session_timeout: '0',
    }),
    application_name: 'readout',
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    idleTimeoutMillis: IDLE_MS_MAX,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS_MAX,
    statement_timeout: statement_ms_max,
    query_timeout: statement_ms_max + ANSWER_MS_MAX,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    pipeline: true,
    types: { getTypeParser: typeParser as typeof pg.types.getTypeParser },
  })
  // A connection that breaks says so to whoever uses it next; an error that nobody listens to would end the process.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  const open = new Set<OpenClient>()
  pool.on('connect', (client) => open.add(client as OpenClient))
  pool.on('remove', (client) => open.delete(client as OpenClient))
  connections.set(pool, open)
  return pool
}

/** A client of `pg`, with what its types leave out. */
type OpenClient = pg.PoolClient & { unref(): void }

/** Connections of each pool. */
const connections = new WeakMap<pg.Pool, Set<OpenClient>>()

/** Ends a pool. A connection whose database hangs is not told of its end; it does not keep the process from ending. */
export async function endPool(pool: pg.Pool): Promise<void> {
  await pool.end()
  for (const client of connections.get(pool) ?? []) client.unref()
}

/** Runs the migrations that the schema has not seen yet, in one transaction. Throws a DatabaseError. */
export async function migrate(pool: pg.Pool, url: string): Promise<void> {
  try {
    const migrations = readdirSync(MIGRATIONS).sort()
    const pooled = new Session(pool, url)
    const found = await readState(pooled, url)
    if (found.version === migrations.length && !(found.has_citus && (await isScattered(pooled)))) return
    const client = await pool.connect()
    try {
      const waiting = new Session(client, url)
      await waiting.script(BEGIN_MIGRATING)
      const { version, has_citus } = await readState(waiting, url)
      refuseNewer(version, migrations.length, url)
      const session = new Session(client, url, SLOW_MS_MAX)
      await session.script('SET LOCAL statement_timeout = 0')
      for (const migration of migrations.slice(version)) {
        await session.script(readFileSync(join(MIGRATIONS, migration), 'utf8'))
      }
      await session.run(WRITE_VERSION, String(migrations.length))
      if (has_citus) await scatter(session)
      await session.commit()
    } finally {
      // Whatever was not committed goes with the connection.
      client.release(true)
    }
  } catch (cause) {
    throw openingError(url, cause)
  }
}

/**
 * Two servers may start at once: the second waits, as long as a statement may take, and finds nothing left to do. Citus,
 * where it is, takes one shard after another, as it has to where what it copies and what it spreads change in one transaction.
 */
const BEGIN_MIGRATING = `
  BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = 0;
  SET LOCAL citus.multi_shard_modify_mode = 'sequential';
  SELECT pg_advisory_xact_lock(${LOCKS.migration}, hashtext(current_schema()))`

const READ_SCHEMA = `
  SELECT current_schema() AS schema, to_regclass(quote_ident(current_schema()) || '.setting') IS NOT NULL AS has_setting,
    EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') AS has_citus, current_setting('server_encoding') AS encoding,
    EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(current_schema())) AND relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')) AS has_tables`

const VERSION = 'schema_version'

const READ_VERSION = `SELECT value FROM setting WHERE name = '${VERSION}'`

const WRITE_VERSION = `
  INSERT INTO setting (name, value) VALUES ('${VERSION}', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value`

interface State {
  /** The number of the last migration; 0 for an empty schema. */
  readonly version: number
  readonly has_citus: boolean
}

/** What stands in the schema. What has tables, and not ours, is left as it is. */
async function readState(session: Session, url: string): Promise<State> {
  const row = (await session.row(READ_SCHEMA)) ?? {}
  const { schema, encoding, has_setting, has_tables } = row
  const has_citus = row.has_citus === true
  const refuse = (reason: string) => new DatabaseError(`cannot open the database ${describePostgres(url)}: ${reason}`)
  if (encoding !== 'UTF8') {
    throw refuse(
      `its encoding is ${encoding}, which has no place for every text; make one with: createdb -E UTF8 -T template0 NAME`,
    )
  }
  if (schema === null) throw refuse('the schema of its search_path is not there; make it with: CREATE SCHEMA NAME')
  if (!has_tables) return { version: 0, has_citus }
  const version = has_setting ? await session.row(READ_VERSION) : undefined
  if (version !== undefined) return { version: Number(version.value), has_citus }
  throw refuse(`its schema ${schema} is another program's; name one of its own with ?options=-csearch_path%3DNAME`)
}

function refuseNewer(version: number, known: number, url: string): void {
  if (version <= known) return
  throw new DatabaseError(
    `cannot open the database ${describePostgres(url)}: it is of version ${version}, this Readout knows up to ${known}; ` +
      'install a newer Readout',
  )
}

/** Adds to the options that a connection starts with; ours come last, and stand. */
function withOptions(database: string, options: Readonly<Record<string, string>>): string {
  const url = new URL(database)
  const ours = Object.entries(options).map(([name, value]) => `-c ${name}=${value}`)
  url.searchParams.set('options', [url.searchParams.get('options') ?? '', ...ours].join(' ').trim())
  return url.href
}

function typeParser(oid: number, format?: 'text' | 'binary') {
  if (oid === BIGINT) return Number
  if (oid === NUMERIC) return BigInt
  return pg.types.getTypeParser(oid, format as 'text')
}
