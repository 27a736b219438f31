import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'
import type { RegionClass } from '../../domain/region.ts'
import {
  EMPTY_RESOLUTION,
  isSameMessage,
  type Resolution,
  type ResolvedClick,
  type ResolvedMessage,
} from '../../domain/resolution.ts'
import {
  type Click,
  compareClicks,
  compareFailures,
  compareMessages,
  EMPTY_THREAD,
  type Failure,
  joinObserved,
  type Message,
  messageTime,
  type Observed,
} from '../../domain/thread.ts'
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

const REMOVE_UNRESOLVED_AD = 'DELETE FROM unresolved_ad WHERE ad = ?'

/** A table without rowid has a cell for each row. */
const READ_SIZE = `
  SELECT SUM(pgsize) AS bytes, SUM(ncell) FILTER (WHERE name = 'message') AS messages FROM dbstat
  WHERE aggregate = TRUE AND name IN (SELECT value FROM json_each(?))`

/** The tables in which a person's rows stand under their id. */
const TABLES_OF_SUBSCRIBERS = ['message', 'click', 'failure', 'recipient']

type Row = SQLOutputValue[]

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
    this.#removeRows = TABLES_OF_SUBSCRIBERS.map(removeRows)
  }

  /** Nobody else writes: a writing transaction has the whole file. */
  async hold(): Promise<void> {}

  async read(keys: readonly ThreadKey[]): Promise<StoredThread[]> {
    return keys.map((key) => storedThread(key, this.#readThread.all(key.ad, key.subscriber) as unknown as Row[]))
  }

  async scan({ account, ad }: AdKey, after_subscriber: string, limit: number): Promise<StoredThread[]> {
    const rows = this.#scanSubscribers.all(ad, after_subscriber, limit)
    return this.read(rows.map((row) => ({ account, ad, subscriber: String(row.subscriber) })))
  }

  async write(changes: readonly ThreadChange[]): Promise<void> {
    for (const change of changes) {
      this.#writeMessages(change)
      this.#writeClicks(change)
      this.#writeFailures(change)
      const { before, facts } = change
      // With a message it stands in the message's row.
      if (facts.messages.length === 0 && facts.country !== null && facts.country !== before.facts.country) {
        this.#writeRecipient.run(before.ad, before.subscriber, facts.country.value, facts.country.at)
      }
    }
  }

  async remove(threads: readonly ThreadKey[]): Promise<void> {
    for (const remove of this.#removeRows) for (const { ad, subscriber } of threads) remove.run(ad, subscriber)
  }

  async readBytesPerMessage(): Promise<number> {
    const tables = JSON.stringify(TABLES_OF_SUBSCRIBERS)
    const { bytes, messages } = this.#db.prepare(READ_SIZE).get(tables) ?? {}
    return Number(messages) === 0 ? 0 : Number(bytes) / Number(messages)
  }

  async rename(subscriber: string, replacement: string): Promise<number> {
    let rows = 0
    const run = (sql: string, ...values: (string | number)[]) => {
      rows += Number(this.#db.prepare(sql).run(...values).changes)
    }
    for (const { ad } of this.#db.prepare('SELECT ad FROM ad').all()) {
      for (const table of TABLES_OF_SUBSCRIBERS) {
        run(`UPDATE ${table} SET subscriber = ? WHERE ad = ? AND subscriber = ?`, replacement, Number(ad), subscriber)
      }
    }
    run('UPDATE subscriber SET subscriber = ? WHERE subscriber = ?', replacement, subscriber)
    run('UPDATE OR REPLACE parked SET subscriber = ? WHERE subscriber = ?', replacement, subscriber)
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

  /** Writes the messages that differ: the lists are sorted alike, and every message of before is in after. */
  #writeMessages({ before, facts, resolution }: ThreadChange): void {
    const isMoved = isElsewhere(before.resolution, resolution) || facts.country !== before.facts.country
    let place = 0
    for (const [i, message] of facts.messages.entries()) {
      const resolved = resolution.messages[i] as ResolvedMessage
      const known = before.facts.messages[place]
      const isKnown = known?.tracking_id === message.tracking_id
      const knownResolved = isKnown ? before.resolution.messages[place] : undefined
      if (isKnown) place++
      if (known === message && !isMoved && isSameMessage(resolved, knownResolved)) continue
      const own_at = messageTime(message)
      this.#writeMessage.run(
        before.ad,
        before.subscriber,
        packTrackingId(message.tracking_id),
        message.sent_at,
        message.delivered_at,
        message.read_at,
        message.mid,
        message.price_micros?.value ?? null,
        message.price_micros && message.price_micros.at - own_at,
        resolution.country,
        facts.country && facts.country.at - own_at,
        resolution.region_class,
        resolved.sent_hour,
        resolved.delivered_hour,
        resolved.read_hour,
        resolved.resolved_price_micros,
      )
    }
  }

  #writeClicks({ before, facts, resolution }: ThreadChange): void {
    const { ad, subscriber } = before
    for (const { at, mid } of before.facts.clicks) {
      // A click without `mid` goes when the same click comes with one.
      const stays = facts.clicks.some((click) => click.at === at && click.mid === mid)
      if (!stays) this.#removeClick.run(ad, subscriber, at, mid ?? '')
    }
    for (const [i, { at, mid, btn_name }] of facts.clicks.entries()) {
      const { hour, credited } = resolution.clicks[i] as ResolvedClick
      const message = credited === null ? undefined : facts.messages[credited]
      const tracking_id = message === undefined ? null : packTrackingId(message.tracking_id)
      const { country, region_class } = resolution
      this.#writeClick.run(ad, subscriber, at, mid ?? '', country, region_class, hour, tracking_id, btn_name)
    }
  }

  #writeFailures({ before, facts, resolution }: ThreadChange): void {
    if (facts.failures === before.facts.failures && resolution.failures === before.resolution.failures) return
    for (const [i, failure] of facts.failures.entries()) {
      const day = resolution.failures[i] as number
      this.#writeFailure.run(before.ad, before.subscriber, failure.at, failure.error_message, day)
    }
  }
}

/** Puts the rows of a thread together: columns as READ_THREAD names them. */
function storedThread({ account, ad, subscriber }: ThreadKey, rows: readonly Row[]): StoredThread {
  const key = { account, ad, subscriber }
  if (rows.length === 0) return { ...key, facts: EMPTY_THREAD, resolution: EMPTY_RESOLUTION, listed_country: null }
  const messageRows = rows.filter((row) => row[0] === 'message')
  const clickRows = rows.filter((row) => row[0] === 'click')
  const failureRows = rows.filter((row) => row[0] === 'failure')
  const recipient = rows.find((row) => row[0] === 'recipient')
  const listed = rows.find((row) => row[0] === 'listed')

  // The engine sorts by bytes and puts '' first; the domain's order decides.
  const messages = messageRows.map((row) => ({ fact: messageOf(row), resolved: resolvedMessageOf(row) }))
  const clicks = clickRows.map((row) => ({ fact: clickOf(row), row }))
  const failures = failureRows.map((row) => ({ fact: failureOf(row), day: Number(row[10]) }))
  messages.sort((a, b) => compareMessages(a.fact, b.fact))
  clicks.sort((a, b) => compareClicks(a.fact, b.fact))
  failures.sort((a, b) => compareFailures(a.fact, b.fact))

  const places = new Map(messages.map(({ fact }, i) => [fact.tracking_id, i]))
  const placed = messageRows[0] ?? clickRows[0]
  return {
    ...key,
    facts: {
      country: namedCountry(recipient, messageRows),
      messages: messages.map(({ fact }) => fact),
      clicks: clicks.map(({ fact }) => fact),
      failures: failures.map(({ fact }) => fact),
    },
    resolution: {
      country: textOf(placed?.[8]),
      region_class: (placed?.[9] ?? EMPTY_RESOLUTION.region_class) as RegionClass,
      messages: messages.map(({ resolved }) => resolved),
      clicks: clicks.map(({ row }) => resolvedClickOf(row, places)),
      failures: failures.map(({ day }) => day),
    },
    listed_country: textOf(listed?.[8]),
  }
}

/** A thread's first messages may have come after its country did, so both places are looked at. */
function namedCountry(recipient: Row | undefined, messageRows: readonly Row[]): Observed<string> | null {
  let country = recipient === undefined ? null : { value: String(recipient[8]), at: Number(recipient[2]) }
  for (const row of messageRows) {
    const told_after = numberOf(row[14])
    if (told_after === null) continue
    country = joinObserved(country, { value: String(row[8]), at: messageTime(messageOf(row)) + told_after })
  }
  return country
}

function messageOf(row: Row): Message {
  const price = numberOf(row[6])
  const times = { sent_at: numberOf(row[2]), delivered_at: numberOf(row[3]), read_at: numberOf(row[4]) }
  const message = { tracking_id: unpackTrackingId(row[1]), ...times, mid: textOf(row[5]), price_micros: null }
  if (price === null) return message
  return { ...message, price_micros: { value: BigInt(price), at: messageTime(message) + Number(row[7]) } }
}

function resolvedMessageOf(row: Row): ResolvedMessage {
  const price = numberOf(row[13])
  return {
    sent_hour: numberOf(row[10]),
    delivered_hour: numberOf(row[11]),
    read_hour: numberOf(row[12]),
    resolved_price_micros: price === null ? null : BigInt(price),
  }
}

function clickOf(row: Row): Click {
  return { at: Number(row[2]), mid: row[5] === '' ? null : String(row[5]), btn_name: textOf(row[14]) }
}

function resolvedClickOf(row: Row, places: ReadonlyMap<string, number>): ResolvedClick {
  const credited = row[1] === null ? null : (places.get(unpackTrackingId(row[1])) ?? null)
  return { hour: Number(row[10]), credited, btn_name: textOf(row[14]) }
}

function failureOf(row: Row): Failure {
  return { at: Number(row[2]), error_message: String(row[1]) }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Meta's tracking ids are UUIDs, whose 16 bytes say all; any other text stands as it is. */
function packTrackingId(text: string): string | Buffer {
  return UUID.test(text) ? Buffer.from(text.replaceAll('-', ''), 'hex') : text
}

function unpackTrackingId(value: SQLOutputValue | undefined): string {
  if (!(value instanceof Uint8Array)) return String(value)
  const hex = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

function isElsewhere(a: Resolution, b: Resolution): boolean {
  return a.country !== b.country || a.region_class !== b.region_class
}

function numberOf(value: SQLOutputValue | undefined): number | null {
  return value === null || value === undefined ? null : Number(value)
}

function textOf(value: SQLOutputValue | undefined): string | null {
  return value === null || value === undefined ? null : String(value)
}
