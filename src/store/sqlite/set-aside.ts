import { createHash } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Fact, FactKind } from '../../domain/fact.ts'
import type { ParkedAd, RejectedChange, SetAside, StoredRejection } from '../set-aside.ts'

const PARK = `
  INSERT OR IGNORE INTO parked (ad_id, page_id, subscriber, kind, at, tracking_id, mid, price_micros, country,
    btn_name, error_message)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const LIST_PARKED = `
  SELECT ad_id, page_id, COUNT(*) AS facts FROM parked GROUP BY ad_id, page_id ORDER BY ad_id, page_id`

/**
 * Which parked facts `Admission.admit` would let in now. Most of what is parked waits for an administrator, and may be millions: the ads and pages that it is of are found by steps from one to
 * the next, and then asked for once each.
 */
const LIST_CLAIMED = `
  WITH RECURSIVE told_ad (ad_id) AS (
    SELECT MIN(ad_id) FROM parked
    UNION ALL
    SELECT (SELECT MIN(ad_id) FROM parked WHERE ad_id > told_ad.ad_id) FROM told_ad WHERE ad_id IS NOT NULL
  ), told (ad_id, page_id) AS (
    SELECT ad_id, (SELECT MIN(page_id) FROM parked WHERE parked.ad_id = told_ad.ad_id) FROM told_ad
    WHERE ad_id IS NOT NULL
    UNION ALL
    SELECT ad_id, (SELECT MIN(page_id) FROM parked WHERE parked.ad_id = told.ad_id AND parked.page_id > told.page_id)
    FROM told WHERE page_id IS NOT NULL
  ), claimed AS (
    SELECT told.ad_id, told.page_id FROM told LEFT JOIN ad USING (ad_id)
    WHERE told.page_id IS NOT NULL AND CASE
      WHEN ad.ad IS NULL THEN (SELECT COUNT(*) FROM page_link WHERE page_link.page_id = told.page_id) = 1
        AND NOT EXISTS (
          SELECT 1 FROM campaign JOIN page_link ON page_link.page_id = told.page_id
          WHERE campaign.campaign_id = told.ad_id AND campaign.account <> page_link.account
        )
        AND NOT EXISTS (
          SELECT 1 FROM adset JOIN page_link ON page_link.page_id = told.page_id
          WHERE adset.adset_id = told.ad_id
            AND (adset.account <> page_link.account OR adset.campaign_id <> adset.adset_id)
        )
      ELSE NOT EXISTS (SELECT 1 FROM page_link WHERE page_link.page_id = told.page_id)
        OR EXISTS (SELECT 1 FROM page_link WHERE page_link.page_id = told.page_id AND page_link.account = ad.account)
      END
  )
  SELECT parked.* FROM claimed CROSS JOIN parked USING (ad_id, page_id) LIMIT ?`

const REMOVE_PARKED = `
  DELETE FROM parked WHERE ad_id = ? AND page_id = ? AND subscriber = ? AND kind = ? AND at = ? AND tracking_id = ?
    AND mid = ? AND price_micros = ? AND country = ? AND btn_name = ? AND error_message = ?`

const REJECT = 'INSERT OR IGNORE INTO rejected (change_digest, received_at, reason, change) VALUES (?, ?, ?, ?)'

const LIST_REJECTED = `
  SELECT change_digest, received_at, reason, change FROM rejected WHERE change_digest > ?
  ORDER BY change_digest LIMIT ?`

/** What stands for "no price" in the key of a parked fact. */
const NO_PRICE = -1n

export class SqliteSetAside implements SetAside {
  readonly #db: DatabaseSync
  readonly #park: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#park = db.prepare(PARK)
  }

  async park(facts: readonly Fact[]): Promise<void> {
    for (const fact of facts) this.#park.run(...parkedRow(fact))
  }

  async listParked(): Promise<ParkedAd[]> {
    return this.#db
      .prepare(LIST_PARKED)
      .all()
      .map((row) => ({ ad_id: String(row.ad_id), page_id: String(row.page_id), facts: Number(row.facts) }))
  }

  async takeClaimed(limit: number): Promise<Fact[]> {
    const facts = this.#db.prepare(LIST_CLAIMED).all(limit).map(factOf)
    const remove = this.#db.prepare(REMOVE_PARKED)
    for (const fact of facts) remove.run(...parkedRow(fact))
    return facts
  }

  async reject(changes: readonly RejectedChange[], received_at: number): Promise<void> {
    const reject = this.#db.prepare(REJECT)
    for (const { reason, change } of changes) reject.run(digestOf(change), received_at, reason, change)
  }

  async listRejected(after_digest: string, limit: number): Promise<StoredRejection[]> {
    return this.#db
      .prepare(LIST_REJECTED)
      .all(after_digest, limit)
      .map((row) => ({
        change_digest: String(row.change_digest),
        received_at: Number(row.received_at),
        reason: String(row.reason),
        change: String(row.change),
      }))
  }

  async removeRejected(change_digest: string): Promise<void> {
    this.#db.prepare('DELETE FROM rejected WHERE change_digest = ?').run(change_digest)
  }
}

function parkedRow(fact: Fact): (string | number | bigint)[] {
  return [
    fact.ad_id,
    fact.page_id,
    fact.subscriber,
    fact.kind,
    fact.at,
    fact.tracking_id ?? '',
    fact.mid ?? '',
    fact.price_micros ?? NO_PRICE,
    fact.country ?? '',
    fact.btn_name ?? '',
    fact.error_message ?? '',
  ]
}

function factOf(row: Record<string, unknown>): Fact {
  const price_micros = BigInt(Number(row.price_micros))
  return {
    kind: row.kind as FactKind,
    at: Number(row.at),
    ad_id: String(row.ad_id),
    page_id: String(row.page_id),
    subscriber: String(row.subscriber),
    tracking_id: orNull(row.tracking_id),
    mid: orNull(row.mid),
    price_micros: price_micros === NO_PRICE ? null : price_micros,
    country: orNull(row.country),
    btn_name: orNull(row.btn_name),
    error_message: orNull(row.error_message),
  }
}

function orNull(text: unknown): string | null {
  return text === '' ? null : String(text)
}

function digestOf(change: string): string {
  return createHash('sha256').update(change).digest('hex').slice(0, 32)
}
