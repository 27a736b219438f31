import type { FactKind } from '../../domain/fact.ts'
import type { Arrivals, ImportCheckpoint, PageArrivals, PageEvent } from '../arrivals.ts'
import { columnsOf, type Session } from './session.ts'

/** A page's last event is known to the minute: its row is every server's, so it is written when that is news. */
const NEWS_MS = 60_000

const NOTE_PAGE_EVENTS = `
  INSERT INTO page_event (page_id, kind, first_received_at, last_received_at)
  SELECT event.page_id, event.kind, $1::bigint, $1::bigint FROM unnest($2::text[], $3::text[]) AS event (page_id, kind)
  WHERE NOT EXISTS (
    SELECT FROM page_event AS known WHERE known.page_id = event.page_id AND known.kind = event.kind
      AND first_received_at <= $1 AND last_received_at > $1 - ${NEWS_MS}
  )
  GROUP BY event.page_id, event.kind ORDER BY event.page_id COLLATE "C", event.kind COLLATE "C"
  ON CONFLICT (page_id, kind) DO UPDATE SET
    first_received_at = LEAST(page_event.first_received_at, excluded.first_received_at),
    last_received_at = GREATEST(page_event.last_received_at, excluded.last_received_at)`

const LIST_PAGES = 'SELECT page_id, kind, first_received_at, last_received_at FROM page_event ORDER BY page_id, kind'

const WRITE_CHECKPOINT = `
  INSERT INTO import_checkpoint (file, bytes, lines, digest) VALUES ($1, $2, $3, $4)
  ON CONFLICT (file) DO UPDATE SET bytes = excluded.bytes, lines = excluded.lines, digest = excluded.digest`

export class PostgresArrivals implements Arrivals {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async notePageEvents(events: readonly PageEvent[], received_at: number): Promise<void> {
    if (events.length === 0) return
    const rows = events.map(({ page_id, kind }) => [page_id, kind])
    await this.#session.run(NOTE_PAGE_EVENTS, received_at, ...columnsOf(rows, 2))
  }

  async listPages(): Promise<PageArrivals[]> {
    const rows = await this.#session.rows(LIST_PAGES)
    return rows.map((row) => ({
      page_id: String(row.page_id),
      kind: row.kind as FactKind,
      first_received_at: Number(row.first_received_at),
      last_received_at: Number(row.last_received_at),
    }))
  }

  async readCheckpoint(file: string): Promise<ImportCheckpoint | undefined> {
    const row = await this.#session.row('SELECT bytes, lines, digest FROM import_checkpoint WHERE file = $1', file)
    return row && { file, bytes: Number(row.bytes), lines: Number(row.lines), digest: String(row.digest) }
  }

  async writeCheckpoint({ file, bytes, lines, digest }: ImportCheckpoint): Promise<void> {
    await this.#session.run(WRITE_CHECKPOINT, file, bytes, lines, digest)
  }

  async removeCheckpoint(file: string): Promise<void> {
    await this.#session.run('DELETE FROM import_checkpoint WHERE file = $1', file)
  }
}
