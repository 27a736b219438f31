import { StoreUnavailableError } from '../store.ts'
import {
  changedClicks,
  changedFailures,
  changedMessages,
  changedRecipient,
  formatUuid,
  goneClicks,
  storedThread,
  THREAD_TABLES,
  type ThreadRow,
  UUID,
  type WrittenRow,
} from '../thread-rows.ts'
import type { AdKey, StoredThread, ThreadChange, ThreadKey, Threads, UnresolvedAd } from '../threads.ts'
import { removing } from './removing.ts'
import { columnsOf, type Row, type Session } from './session.ts'
import { rowsOfTenant, writeRows } from './tenant.ts'

const HOLD = 'SELECT ad FROM ad_lock WHERE account = $1 AND ad = ANY($2::integer[]) ORDER BY ad FOR UPDATE'

/**
 * The rows of many threads of one account; `place` is that of the thread's key. OFFSET 0 has every key looked up by itself, whatever
 * the planner takes the tables for: while they are new, it would rather read all of an account for every key.
 */
const READ_THREADS = `
  WITH key AS MATERIALIZED (
    SELECT ad, subscriber, place::integer
    FROM unnest($2::integer[], $3::text[]) WITH ORDINALITY AS key (ad, subscriber, place)
  )
  SELECT 'message', encode(tracking_id, 'hex'), sent_at, delivered_at, read_at, mid, price_micros::numeric, price_told_after,
    country, region_class, sent_hour, delivered_hour, read_hour, resolved_price_micros::numeric, country_told_after::text, place
  FROM key, ${rowsOfKey('message')}
  UNION ALL
  SELECT 'click', encode(credited_tracking_id, 'hex'), at, NULL, NULL, mid, NULL, NULL, country, region_class, hour, NULL,
    NULL, NULL, btn_name, place
  FROM key, ${rowsOfKey('click')}
  UNION ALL
  SELECT 'failure', error_message, at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, day, NULL, NULL, NULL, NULL, place
  FROM key, ${rowsOfKey('failure')}
  UNION ALL
  SELECT 'recipient', NULL, country_at, NULL, NULL, NULL, NULL, NULL, country, NULL, NULL, NULL, NULL, NULL, NULL, place
  FROM key, ${rowsOfKey('recipient')}
  UNION ALL
  SELECT 'listed', NULL, NULL, NULL, NULL, NULL, NULL, NULL, country, NULL, NULL, NULL, NULL, NULL, NULL, place
  FROM key, LATERAL (SELECT country FROM subscriber WHERE subscriber.subscriber = key.subscriber OFFSET 0) AS own`

const SCAN_SUBSCRIBERS = `
  ${THREAD_TABLES.map(
    (table) =>
      `(SELECT DISTINCT subscriber FROM ${table} WHERE account = $1 AND ad = $2 AND subscriber > $3
        ORDER BY subscriber LIMIT $4)`,
  ).join(' UNION ')}
  ORDER BY subscriber LIMIT $4`

const WRITE_MESSAGES = `
  INSERT INTO message (account, ad, subscriber, tracking_id, sent_at, delivered_at, read_at, mid, price_micros,
    price_told_after, country, country_told_after, region_class, sent_hour, delivered_hour, read_hour, resolved_price_micros)
  ${rowsOfTenant(`$2::integer[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $9::bigint[],
    $10::bigint[], $11::text[], $12::bigint[], $13::text[], $14::integer[], $15::integer[], $16::integer[], $17::bigint[]`)}
  ON CONFLICT (account, ad, subscriber, tracking_id) DO UPDATE SET
    sent_at = excluded.sent_at, delivered_at = excluded.delivered_at, read_at = excluded.read_at, mid = excluded.mid,
    price_micros = excluded.price_micros, price_told_after = excluded.price_told_after, country = excluded.country,
    country_told_after = excluded.country_told_after, region_class = excluded.region_class,
    sent_hour = excluded.sent_hour, delivered_hour = excluded.delivered_hour, read_hour = excluded.read_hour,
    resolved_price_micros = excluded.resolved_price_micros`

const REMOVE_CLICKS = removing('click', { ad: 'integer', subscriber: 'text', at: 'bigint', mid: 'text' })

const WRITE_CLICKS = `
  INSERT INTO click (account, ad, subscriber, at, mid, country, region_class, hour, credited_tracking_id, btn_name)
  ${rowsOfTenant(`$2::integer[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::integer[], $9::bytea[],
    $10::text[]`)}
  ON CONFLICT (account, ad, subscriber, at, mid) DO UPDATE SET country = excluded.country,
    region_class = excluded.region_class, hour = excluded.hour, credited_tracking_id = excluded.credited_tracking_id,
    btn_name = excluded.btn_name`

const WRITE_FAILURES = `
  INSERT INTO failure (account, ad, subscriber, at, error_message, day)
  ${rowsOfTenant('$2::integer[], $3::text[], $4::bigint[], $5::text[], $6::integer[]')}
  ON CONFLICT (account, ad, subscriber, at, error_message) DO UPDATE SET day = excluded.day`

const WRITE_RECIPIENTS = `
  INSERT INTO recipient (account, ad, subscriber, country, country_at)
  ${rowsOfTenant('$2::integer[], $3::text[], $4::text[], $5::bigint[]')}
  ON CONFLICT (account, ad, subscriber) DO UPDATE SET country = excluded.country, country_at = excluded.country_at`

/** What is written of a thread, in the order in which it is: the statement, its rows, and where a tracking id stands in them. */
const WRITES: readonly {
  readonly sql: string
  readonly rowsOf: (change: ThreadChange) => readonly WrittenRow[]
  readonly columns: number
  readonly id_place?: number
  readonly isRemoval?: true
}[] = [
  { sql: WRITE_MESSAGES, rowsOf: changedMessages, columns: 16, id_place: 2 },
  { sql: REMOVE_CLICKS, rowsOf: goneClicks, columns: 4, isRemoval: true },
  { sql: WRITE_CLICKS, rowsOf: changedClicks, columns: 9, id_place: 7 },
  { sql: WRITE_FAILURES, rowsOf: changedFailures, columns: 5 },
  { sql: WRITE_RECIPIENTS, rowsOf: changedRecipient, columns: 4 },
]

const HAS_CITUS = "SELECT FROM pg_extension WHERE extname = 'citus'"

const LIST_AD_NUMBERS = 'SELECT account, ARRAY_AGG(ad) AS ads FROM ad GROUP BY account ORDER BY account'

const RENAME_REJECTED = 'UPDATE rejected SET change = replace(change, $1, $2) WHERE strpos(change, $1) > 0'

/** A thread that was renamed may lie behind whoever resolves anew, subscriber after subscriber. */
const BEGIN_RESOLVING_AGAIN = "UPDATE unresolved_ad SET after_subscriber = ''"

/** One that no other server resolves in this moment; where all that are left are being resolved, the first of them. */
const READ_UNRESOLVED_AD =
  'SELECT account, ad, after_subscriber FROM unresolved_ad ORDER BY account, ad LIMIT 1 FOR UPDATE'

const COUNT_UNRESOLVED_ADS = 'SELECT COUNT(*) AS ads FROM unresolved_ad'

export class PostgresThreads implements Threads {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  /**
   * An ad whose row is not there can be seen before it is there: Citus commits on the coordinator first. To read and write its
   * threads unheld would lose what another server writes meanwhile.
   */
  async hold(ads: readonly AdKey[]): Promise<void> {
    for (const [account, ofAccount] of byAccount(ads)) {
      const wanted = new Set(ofAccount.map(({ ad }) => ad))
      const held = await this.#session.run(HOLD, account, [...wanted])
      if (held === wanted.size) continue
      throw new StoreUnavailableError(
        `cannot hold ${wanted.size - held} of ${wanted.size} ads of account ${account}: what registered them is not committed ` +
          'on its shard yet; try again',
      )
    }
  }

  async read(keys: readonly ThreadKey[]): Promise<StoredThread[]> {
    const rows = new Map<ThreadKey, ThreadRow[]>()
    for (const [account, ofAccount] of byAccount(keys)) {
      const ads = ofAccount.map(({ ad }) => ad)
      const subscribers = ofAccount.map(({ subscriber }) => subscriber)
      for (const row of await this.#session.lists(READ_THREADS, account, ads, subscribers)) {
        const key = ofAccount[(row[PLACE] as number) - 1] as ThreadKey
        const known = rows.get(key)
        if (known === undefined) rows.set(key, [row])
        else known.push(row)
      }
    }
    return keys.map((key) => storedThread(key, rows.get(key) ?? [], unpackTrackingId))
  }

  async scan({ account, ad }: AdKey, after_subscriber: string, limit: number): Promise<StoredThread[]> {
    const rows = await this.#session.rows(SCAN_SUBSCRIBERS, account, ad, after_subscriber, limit)
    return this.read(rows.map(({ subscriber }) => ({ account, ad, subscriber: String(subscriber) })))
  }

  /** All statements go out at once: each is answered in its turn. */
  async write(changes: readonly ThreadChange[]): Promise<void> {
    const written: Promise<unknown>[] = []
    for (const [account, ofAccount] of byAccount(changes.map((change) => ({ ...change.before, change })))) {
      for (const { sql, rowsOf, columns, id_place, isRemoval } of WRITES) {
        const rows = ofAccount.flatMap(({ change }) => rowsOf(change))
        if (rows.length === 0) continue
        const values = columnsOf(rows, columns)
        if (id_place !== undefined) values[id_place] = (values[id_place] ?? []).map(packTrackingId)
        if (isRemoval) written.push(this.#session.run(sql, account, ...values))
        else written.push(writeRows(this.#session, sql, account, values))
      }
    }
    await Promise.all(written)
  }

  async remove(threads: readonly ThreadKey[]): Promise<void> {
    for (const [account, ofAccount] of byAccount(threads)) {
      const values = columnsOf(
        ofAccount.map(({ ad, subscriber }) => [ad, subscriber]),
        2,
      )
      for (const table of THREAD_TABLES) await this.#session.run(removing(table, THREAD), account, ...values)
    }
  }

  async readBytesPerMessage(): Promise<number> {
    const { messages } = (await this.#session.row('SELECT COUNT(*) AS messages FROM message')) ?? {}
    const isCitus = (await this.#session.row(HAS_CITUS)) !== undefined
    const size = isCitus ? 'citus_total_relation_size' : 'pg_total_relation_size'
    const read = `SELECT SUM(${size}(name::regclass)) AS bytes FROM unnest($1::text[]) AS name`
    const { bytes } = (await this.#session.row(read, THREAD_TABLES)) ?? {}
    return Number(messages) === 0 ? 0 : Number(bytes) / Number(messages)
  }

  async rename(subscriber: string, replacement: string): Promise<number> {
    let rows = 0
    for (const { account, ads } of await this.#session.rows(LIST_AD_NUMBERS)) {
      for (const table of THREAD_TABLES) {
        rows += await this.#session.run(renameIn(table), Number(account), ads as number[], subscriber, replacement)
      }
    }
    for (const table of ['subscriber', 'parked']) {
      rows += await this.#session.run(
        `UPDATE ${table} SET subscriber = $2 WHERE subscriber = $1`,
        subscriber,
        replacement,
      )
    }
    await this.#session.run(BEGIN_RESOLVING_AGAIN)
    return rows + (await this.#session.run(RENAME_REJECTED, subscriber, replacement))
  }

  async readUnresolvedAd(): Promise<UnresolvedAd | undefined> {
    const free = await this.#session.row(`${READ_UNRESOLVED_AD} SKIP LOCKED`)
    if (free !== undefined) return unresolvedAdOf(free)
    while ((await this.countUnresolvedAds()) > 0) {
      const row = await this.#session.row(READ_UNRESOLVED_AD)
      if (row !== undefined) return unresolvedAdOf(row)
    }
    return undefined
  }

  async countUnresolvedAds(): Promise<number> {
    return Number((await this.#session.row(COUNT_UNRESOLVED_ADS))?.ads)
  }

  async writeUnresolvedAd({ account, ad }: AdKey, after_subscriber: string | undefined): Promise<void> {
    const where = 'WHERE account = $1 AND ad = $2'
    if (after_subscriber === undefined) await this.#session.run(`DELETE FROM unresolved_ad ${where}`, account, ad)
    else
      await this.#session.run(`UPDATE unresolved_ad SET after_subscriber = $3 ${where}`, account, ad, after_subscriber)
  }
}

/** Where READ_THREADS has the place of the thread's key, counted from 1. */
const PLACE = 15

/** What tells a thread apart within its account. */
const THREAD = { ad: 'integer', subscriber: 'text' } as const

function rowsOfKey(table: string): string {
  const isOfKey = `account = $1 AND ${table}.ad = key.ad AND ${table}.subscriber = key.subscriber`
  return `LATERAL (SELECT * FROM ${table} WHERE ${isOfKey} OFFSET 0) AS own`
}

function renameIn(table: string): string {
  return `UPDATE ${table} SET subscriber = $4 WHERE account = $1 AND ad = ANY($2::integer[]) AND subscriber = $3`
}

/** Keys by account, in the order in which everyone takes them: by account, then by ad. */
export function byAccount<Key extends AdKey>(keys: readonly Key[]): [account: number, keys: Key[]][] {
  const groups = [...Map.groupBy(keys, ({ account }) => account)]
  for (const [, ofAccount] of groups) ofAccount.sort((a, b) => a.ad - b.ad)
  return groups.sort(([a], [b]) => a - b)
}

function unresolvedAdOf(row: Row): UnresolvedAd {
  return { account: Number(row.account), ad: Number(row.ad), after_subscriber: String(row.after_subscriber) }
}

/** One byte tells whether the 16 bytes of a UUID follow, or a text. */
export function packTrackingId(text: unknown): string | null {
  if (text === null) return null
  const id = String(text)
  return UUID.test(id) ? `\\x01${id.replaceAll('-', '')}` : `\\x00${Buffer.from(id).toString('hex')}`
}

export function unpackTrackingId(hex: unknown): string {
  const packed = String(hex)
  const content = packed.slice(2)
  return packed.startsWith('01') ? formatUuid(content) : Buffer.from(content, 'hex').toString()
}
