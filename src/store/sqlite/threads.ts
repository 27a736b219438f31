import type { DatabaseSync, StatementSync } from 'node:sqlite'
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

const READ_THREAD = `
  SELECT 'message', tracking_id, sent_at, delivered_at, read_at, mid, price_micros, price_told_after, country,
    region_class, sent_hour, delivered_hour, read_hour, resolved_price_micros, country_told_after
  FROM message WHERE ad = ?1 AND subscriber = ?2
  UNION ALL
  SELECT 'click', credited_tracking_id, at, NULL, NULL, mid, NULL, NULL, country, region_class, hour, NULL, NULL, NULL, btn_name
  FROM click WHERE ad = ?1 AND subscriber = ?2
  UNION ALL
  SELECT 'failure', error_message, at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, day, NULL, NULL, NULL, NULL
  FROM failure WHERE ad = ?1 AND subscriber = ?2
  UNION ALL
  SELECT 'recipient', NULL, country_at, NULL, NULL, NULL, NULL, NULL, country, NULL, NULL, NULL, NULL, NULL, NULL
  FROM recipient WHERE ad = ?1 AND subscriber = ?2
  UNION ALL
  SELECT 'listed', NULL, NULL, NULL, NULL, NULL, NULL, NULL, country, NULL, NULL, NULL, NULL, NULL, NULL
  FROM subscriber WHERE subscriber = ?2`

const SCAN_SUBSCRIBERS = `
  SELECT subscriber FROM message WHERE ad = ?1 AND subscriber > ?2
  UNION SELECT subscriber FROM click WHERE ad = ?1 AND subscriber > ?2
  UNION SELECT subscriber FROM failure WHERE ad = ?1 AND subscriber > ?2
  UNION SELECT subscriber FROM recipient WHERE ad = ?1 AND subscriber > ?2
  ORDER BY subscriber LIMIT ?3`

const WRITE_MESSAGE = `
  INSERT INTO message (ad, subscriber, tracking_id, sent_at, delivered_at, read_at, mid, price_micros, price_told_after,
    country, country_told_after, region_class, sent_hour, delivered_hour, read_hour, resolved_price_micros)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (ad, subscriber, tracking_id) DO UPDATE SET
    sent_at = excluded.sent_at, delivered_at = excluded.delivered_at, read_at = excluded.read_at, mid = excluded.mid,
    price_micros = excluded.price_micros, price_told_after = excluded.price_told_after, country = excluded.country,
    country_told_after = excluded.country_told_after, region_class = excluded.region_class, sent_hour = excluded.sent_hour, delivered_hour = excluded.delivered_hour,
    read_hour = excluded.read_hour, resolved_price_micros = excluded.resolved_price_micros`

const WRITE_CLICK = `
  INSERT INTO click (ad, subscriber, at, mid, country, region_class, hour, credited_tracking_id, btn_name)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (ad, subscriber, at, mid) DO UPDATE SET country = excluded.country,
    region_class = excluded.region_class, hour = excluded.hour, credited_tracking_id = excluded.credited_tracking_id,
    btn_name = excluded.btn_name`

const REMOVE_CLICK = 'DELETE FROM click WHERE ad = ? AND subscriber = ? AND at = ? AND mid = ?'

const WRITE_FAILURE = `
  INSERT INTO failure (ad, subscriber, at, error_message, day) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (ad, subscriber, at, error_message) DO UPDATE SET day = excluded.day`

const WRITE_RECIPIENT = `
  INSERT INTO recipient (ad, subscriber, country, country_at) VALUES (?, ?, ?, ?)
  ON CONFLICT (ad, subscriber) DO UPDATE SET country = excluded.country, country_at = excluded.country_at`

const RENAME_REJECTED = 'UPDATE rejected SET change = replace(change, ?1, ?2) WHERE instr(change, ?1) > 0'

const READ_UNRESOLVED_AD = `
  SELECT ad, ad.account, after_subscriber FROM unresolved_ad JOIN ad USING (ad) ORDER BY ad LIMIT 1`

const COUNT_UNRESOLVED_ADS = 'SELECT COUNT(*) AS ads FROM unresolved_ad'

const WRITE_UNRESOLVED_AD = 'UPDATE unresolved_ad SET after_subscriber = ? WHERE ad = ?'

/** A thread that was renamed may lie behind whoever resolves anew, subscriber after subscriber. */
const BEGIN_RESOLVING_AGAIN = "UPDATE unresolved_ad SET after_subscriber = ''"

const REMOVE_UNRESOLVED_AD = 'DELETE FROM unresolved_ad WHERE ad = ?'

/** A table without rowid has a cell for each row. */
const READ_SIZE = `
  SELECT SUM(pgsize) AS bytes, SUM(ncell) FILTER (WHERE name = 'message') AS messages FROM dbstat
  WHERE aggregate = TRUE AND name IN (SELECT value FROM json_each(?))`

/** Where WRITE_MESSAGE and WRITE_CLICK have tracking ids, which are packed. */
const TRACKING_ID_PLACE = 2
const CREDITED_TRACKING_ID_PLACE = 7

export class SqliteThreads implements Threads {
  readonly #db: DatabaseSync
  readonly #readThread: StatementSync
  readonly #scanSubscribers: StatementSync
  readonly #writeMessage: StatementSync
  readonly #writeClick: StatementSync
  readonly #removeClick: StatementSync
  readonly #writeFailure: StatementSync
  readonly #writeRecipient: StatementSync
  readonly #removeRows: readonly StatementSync[]

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#readThread = db.prepare(READ_THREAD)
    this.#readThread.setReturnArrays(true)
    this.#scanSubscribers = db.prepare(SCAN_SUBSCRIBERS)
    this.#writeMessage = db.prepare(WRITE_MESSAGE)
    this.#writeClick = db.prepare(WRITE_CLICK)
    this.#removeClick = db.prepare(REMOVE_CLICK)
    this.#writeFailure = db.prepare(WRITE_FAILURE)
    this.#writeRecipient = db.prepare(WRITE_RECIPIENT)
    const removeRows = (table: string) => db.prepare(`DELETE FROM ${table} WHERE ad = ? AND subscriber = ?`)
    this.#removeRows = THREAD_TABLES.map(removeRows)
  }

  /** Nobody else writes: a writing transaction has the whole file. */
  async hold(): Promise<void> {}

  async read(keys: readonly ThreadKey[]): Promise<StoredThread[]> {
    const rowsOf = ({ ad, subscriber }: ThreadKey) => this.#readThread.all(ad, subscriber) as unknown as ThreadRow[]
    return keys.map((key) => storedThread(key, rowsOf(key), unpackTrackingId))
  }

  async scan({ account, ad }: AdKey, after_subscriber: string, limit: number): Promise<StoredThread[]> {
    const rows = this.#scanSubscribers.all(ad, after_subscriber, limit)
    return this.read(rows.map((row) => ({ account, ad, subscriber: String(row.subscriber) })))
  }

  async write(changes: readonly ThreadChange[]): Promise<void> {
    for (const change of changes) {
      this.#writeRows(this.#writeMessage, changedMessages(change), TRACKING_ID_PLACE)
      this.#writeRows(this.#removeClick, goneClicks(change))
      this.#writeRows(this.#writeClick, changedClicks(change), CREDITED_TRACKING_ID_PLACE)
      this.#writeRows(this.#writeFailure, changedFailures(change))
      this.#writeRows(this.#writeRecipient, changedRecipient(change))
    }
  }

  async remove(threads: readonly ThreadKey[]): Promise<void> {
    for (const remove of this.#removeRows) for (const { ad, subscriber } of threads) remove.run(ad, subscriber)
  }

  async readBytesPerMessage(): Promise<number> {
    const tables = JSON.stringify(THREAD_TABLES)
    const { bytes, messages } = this.#db.prepare(READ_SIZE).get(tables) ?? {}
    return Number(messages) === 0 ? 0 : Number(bytes) / Number(messages)
  }

  async rename(subscriber: string, replacement: string): Promise<number> {
    let rows = 0
    const run = (sql: string, ...values: (string | number)[]) => {
      rows += Number(this.#db.prepare(sql).run(...values).changes)
    }
    for (const { ad } of this.#db.prepare('SELECT ad FROM ad').all()) {
      for (const table of THREAD_TABLES) {
        run(`UPDATE ${table} SET subscriber = ? WHERE ad = ? AND subscriber = ?`, replacement, Number(ad), subscriber)
      }
    }
    run('UPDATE subscriber SET subscriber = ? WHERE subscriber = ?', replacement, subscriber)
    run('UPDATE OR REPLACE parked SET subscriber = ? WHERE subscriber = ?', replacement, subscriber)
    this.#db.exec(BEGIN_RESOLVING_AGAIN)
    run(RENAME_REJECTED, subscriber, replacement)
    return rows
  }

  async readUnresolvedAd(): Promise<UnresolvedAd | undefined> {
    const row = this.#db.prepare(READ_UNRESOLVED_AD).get()
    if (row === undefined) return undefined
    return {
      ad: Number(row.ad),
      account: Number(row.account),
      after_subscriber: String(row.after_subscriber),
    }
  }

  async countUnresolvedAds(): Promise<number> {
    return Number(this.#db.prepare(COUNT_UNRESOLVED_ADS).get()?.ads)
  }

  async writeUnresolvedAd({ ad }: AdKey, after_subscriber: string | undefined): Promise<void> {
    if (after_subscriber === undefined) this.#db.prepare(REMOVE_UNRESOLVED_AD).run(ad)
    else this.#db.prepare(WRITE_UNRESOLVED_AD).run(after_subscriber, ad)
  }

  /** Writes rows that were made for it. */
  #writeRows(statement: StatementSync, rows: readonly WrittenRow[], idPlace?: number): void {
    for (const row of rows) {
      const values: (WrittenRow[number] | Uint8Array)[] = row
      if (idPlace !== undefined) values[idPlace] = packTrackingId(row[idPlace] as string | null)
      statement.run(...values)
    }
  }
}

/** The bytes of a UUID; any other text stands as it is. */
export function packTrackingId(text: string | null): string | Uint8Array | null {
  return text !== null && UUID.test(text) ? Buffer.from(text.replaceAll('-', ''), 'hex') : text
}

export function unpackTrackingId(value: unknown): string {
  if (!(value instanceof Uint8Array)) return String(value)
  return formatUuid(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex'))
}
