import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { FactKind } from '../../domain/fact.ts'
import type { Arrivals, ImportCheckpoint, PageArrivals, PageEvent } from '../arrivals.ts'

const NOTE_PAGE_EVENT = `
  INSERT INTO page_event (page_id, kind, first_received_at, last_received_at) VALUES (?1, ?2, ?3, ?3)
  ON CONFLICT (page_id, kind) DO UPDATE SET
    first_received_at = MIN(first_received_at, excluded.first_received_at),
    last_received_at = MAX(last_received_at, excluded.last_received_at)`

const WRITE_CHECKPOINT = `
  INSERT INTO import_checkpoint (file, bytes, lines, digest) VALUES (?, ?, ?, ?)
  ON CONFLICT (file) DO UPDATE SET bytes = excluded.bytes, lines = excluded.lines, digest = excluded.digest`

export class SqliteArrivals implements Arrivals {
  readonly #db: DatabaseSync
  readonly #notePageEvent: StatementSync
  readonly #writeCheckpoint: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#notePageEvent = db.prepare(NOTE_PAGE_EVENT)
    this.#writeCheckpoint = db.prepare(WRITE_CHECKPOINT)
  }

  async notePageEvents(events: readonly PageEvent[], received_at: number): Promise<void> {
    for (const { page_id, kind } of events) this.#notePageEvent.run(page_id, kind, received_at)
  }

  async listPages(): Promise<PageArrivals[]> {
    return this.#db
      .prepare('SELECT page_id, kind, first_received_at, last_received_at FROM page_event ORDER BY page_id, kind')
      .all()
      .map((row) => ({
        page_id: String(row.page_id),
        kind: row.kind as FactKind,
        first_received_at: Number(row.first_received_at),
        last_received_at: Number(row.last_received_at),
      }))
  }

  async readCheckpoint(file: string): Promise<ImportCheckpoint | undefined> {
    const row = this.#db.prepare('SELECT bytes, lines, digest FROM import_checkpoint WHERE file = ?').get(file)
    return row && { file, bytes: Number(row.bytes), lines: Number(row.lines), digest: String(row.digest) }
  }

  async writeCheckpoint({ file, bytes, lines, digest }: ImportCheckpoint): Promise<void> {
    this.#writeCheckpoint.run(file, bytes, lines, digest)
  }

  async removeCheckpoint(file: string): Promise<void> {
    this.#db.prepare('DELETE FROM import_checkpoint WHERE file = ?').run(file)
  }
}
