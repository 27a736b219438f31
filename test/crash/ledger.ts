import { DatabaseSync } from 'node:sqlite'
import type pg from 'pg'
import type { Fact } from '../../src/domain/fact.ts'
import { KeyedPseudonyms } from '../../src/ingest/pseudonym.ts'
import type { SandboxEvent } from '../../src/sandbox/event.ts'
import { HASH_KEY } from '../open.ts'

const PSEUDONYMS = new KeyedPseudonyms(HASH_KEY)

/** A tracking id as it was sent, of which each engine stores that of a UUID as its bytes. */
const TRACKING_ID_OF_FILE = `CASE typeof(tracking_id) WHEN 'blob' THEN lower(substr(hex(tracking_id), 1, 8) || '-' ||
  substr(hex(tracking_id), 9, 4) || '-' || substr(hex(tracking_id), 13, 4) || '-' || substr(hex(tracking_id), 17, 4) ||
  '-' || substr(hex(tracking_id), 21)) ELSE tracking_id END`
const TRACKING_ID_OF_POSTGRES = `CASE get_byte(tracking_id, 0) WHEN 1 THEN encode(substr(tracking_id, 2), 'hex')::uuid::text
  ELSE convert_from(substr(tracking_id, 2), 'UTF8') END`

/** Every row of the ledger, and of what is set aside, as a line of text. */
export function readFileLedger(file: string): string[] {
  using db = new DatabaseSync(file, { readOnly: true })
  return linesOf(db.prepare(rowsWith(TRACKING_ID_OF_FILE)).all())
}

/** The same of a PostgreSQL database. */
export async function readPostgresLedger(client: pg.Client): Promise<string[]> {
  return linesOf((await client.query(rowsWith(TRACKING_ID_OF_POSTGRES))).rows)
}

function rowsWith(tracking_id: string): string {
  const time = (column: string) => `COALESCE(CAST(${column} AS text), '-')`
  return `
    SELECT 'message ' || ad_id || ' ' || subscriber || ' ' || ${tracking_id} || ' ' || ${time('sent_at')} || ' ' ||
      ${time('delivered_at')} || ' ' || ${time('read_at')} AS line FROM message JOIN ad USING (ad)
    UNION ALL
    SELECT 'click ' || ad_id || ' ' || subscriber || ' ' || at || ' ' || mid FROM click JOIN ad USING (ad)
    UNION ALL
    SELECT 'failure ' || ad_id || ' ' || subscriber || ' ' || at || ' ' || error_message FROM failure JOIN ad USING (ad)
    UNION ALL
    SELECT 'parked ' || ad_id || ' ' || subscriber || ' ' || at FROM parked
    UNION ALL
    SELECT 'rejected ' || change FROM rejected`
}

function linesOf(rows: readonly Readonly<Record<string, unknown>>[]): string[] {
  return rows.map(({ line }) => String(line)).sort()
}

/** The rows that these facts should have left, each once. */
export function ledgerOf(facts: readonly Fact[]): string[] {
  const messages = Map.groupBy(
    facts.filter(({ tracking_id }) => tracking_id !== null),
    ({ ad_id, subscriber, tracking_id }) => `message ${ad_id} ${subscriber} ${tracking_id}`,
  )
  const lines = new Set<string>()
  for (const [message, of] of messages) {
    const first = (kind: string) => {
      const times = of.filter((fact) => fact.kind === kind).map(({ at }) => at)
      return times.length === 0 ? '-' : Math.min(...times)
    }
    lines.add(`${message} ${first('sent')} ${first('delivered')} ${first('read')}`)
  }
  for (const { kind, ad_id, subscriber, at, mid, error_message } of facts) {
    if (kind === 'clicked') lines.add(`click ${ad_id} ${subscriber} ${at} ${mid ?? ''}`)
    if (kind === 'failed') lines.add(`failure ${ad_id} ${subscriber} ${at} ${error_message}`)
  }
  return [...lines].sort()
}

/** The fact that a webhook tells of an event, made without the code that reads webhooks. */
export function factOf(event: SandboxEvent): Fact {
  const { kind, timestamp, message_id, page_id, messenger_subscription_token, mid } = event
  return {
    kind,
    page_id,
    at: timestamp,
    ad_id: message_id,
    subscriber: PSEUDONYMS.subscriber(messenger_subscription_token),
    tracking_id: event.marketing_message_tracking_id ?? null,
    mid: mid === undefined || kind === 'read' ? null : PSEUDONYMS.mid(mid),
    price_micros: null,
    country: null,
    btn_name: null,
    error_message: event.error_message ?? null,
  }
}
