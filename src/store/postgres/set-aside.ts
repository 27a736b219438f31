import { createHash } from 'node:crypto'
import type { Fact, FactKind } from '../../domain/fact.ts'
import type { ParkedAd, RejectedChange, SetAside, StoredRejection } from '../set-aside.ts'
import { columnsOf, type Row, type Session } from './session.ts'

/** In the order of the key, which every server keeps: Meta may have sent the same facts to another. */
const PARK = `
  INSERT INTO parked (ad_id, page_id, subscriber, kind, at, tracking_id, mid, price_micros, country, btn_name, error_message)
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::bigint[],
    $9::text[], $10::text[], $11::text[]) AS fact
  ORDER BY fact ON CONFLICT DO NOTHING`

const LIST_PARKED = `
  SELECT ad_id, page_id, COUNT(*) AS facts FROM parked GROUP BY ad_id, page_id ORDER BY ad_id, page_id`

/** Takes out parked facts that `Admission.admit` would let in now. */
const TAKE_CLAIMED = `
  DELETE FROM parked WHERE ctid = ANY(ARRAY(
    SELECT parked.ctid FROM parked LEFT JOIN ad USING (ad_id)
    WHERE CASE
      WHEN ad.ad IS NULL THEN (SELECT COUNT(*) FROM page_link WHERE page_link.page_id = parked.page_id) = 1
        AND NOT EXISTS (
          SELECT FROM ad AS named JOIN page_link ON page_link.page_id = parked.page_id
          WHERE parked.ad_id IN (named.campaign_id, named.adset_id) AND named.account <> page_link.account
            OR parked.ad_id = named.adset_id AND named.campaign_id <> named.adset_id
        )
      ELSE NOT EXISTS (SELECT FROM page_link WHERE page_link.page_id = parked.page_id)
        OR EXISTS (SELECT FROM page_link WHERE page_link.page_id = parked.page_id AND page_link.account = ad.account)
      END
    LIMIT $1
  )) RETURNING parked.*, price_micros::numeric AS price_micros`

const REJECT = `
  INSERT INTO rejected (change_digest, received_at, reason, change)
  SELECT digest, $1::bigint, reason, change FROM unnest($2::text[], $3::text[], $4::text[]) AS rejected (digest, reason, change)
  ORDER BY digest COLLATE "C" ON CONFLICT DO NOTHING`

const LIST_REJECTED = `
  SELECT change_digest, received_at, reason, change FROM rejected WHERE change_digest > $1
  ORDER BY change_digest LIMIT $2`

/** What stands for "no price" in the key of a parked fact. */
const NO_PRICE = -1n

export class PostgresSetAside implements SetAside {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async park(facts: readonly Fact[]): Promise<void> {
    await this.#session.run(PARK, ...columnsOf(facts.map(parkedRow), PARKED_COLUMNS))
  }

  async listParked(): Promise<ParkedAd[]> {
    const rows = await this.#session.rows(LIST_PARKED)
    return rows.map((row) => ({ ad_id: String(row.ad_id), page_id: String(row.page_id), facts: Number(row.facts) }))
  }

  async takeClaimed(limit: number): Promise<Fact[]> {
    return (await this.#session.rows(TAKE_CLAIMED, limit)).map(factOf)
  }

  async reject(changes: readonly RejectedChange[], received_at: number): Promise<void> {
    const rows = changes.map(({ reason, change }) => [digestOf(change), reason, change])
    await this.#session.run(REJECT, received_at, ...columnsOf(rows, 3))
  }

  async listRejected(after_digest: string, limit: number): Promise<StoredRejection[]> {
    const rows = await this.#session.rows(LIST_REJECTED, after_digest, limit)
    return rows.map((row) => ({
      change_digest: String(row.change_digest),
      received_at: Number(row.received_at),
      reason: String(row.reason),
      change: String(row.change),
    }))
  }

  async removeRejected(change_digest: string): Promise<void> {
    await this.#session.run('DELETE FROM rejected WHERE change_digest = $1', change_digest)
  }
}

const PARKED_COLUMNS = 11

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

function factOf(row: Row): Fact {
  return {
    kind: row.kind as FactKind,
    at: Number(row.at),
    ad_id: String(row.ad_id),
    page_id: String(row.page_id),
    subscriber: String(row.subscriber),
    tracking_id: orNull(row.tracking_id),
    mid: orNull(row.mid),
    price_micros: row.price_micros === NO_PRICE ? null : (row.price_micros as bigint),
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
