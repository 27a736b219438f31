import type { FactKind } from '../domain/fact.ts'

/** That a page's webhooks brought an event of this kind. */
export interface PageEvent {
  readonly page_id: string
  readonly kind: FactKind
}

/** Since when, and until when, a page's webhooks bring an event; milliseconds since 1970. */
export interface PageArrivals extends PageEvent {
  readonly first_received_at: number
  readonly last_received_at: number
}

/** How far an import of a file came. */
export interface ImportCheckpoint {
  readonly file: string
  readonly bytes: number
  readonly lines: number
  /** The digest of the bytes so far: another file of the same name does not go on from here. */
  readonly digest: string
}

/** What arrived, and how far: the pages' events and the imports. */
export interface Arrivals {
  notePageEvents(events: readonly PageEvent[], received_at: number): Promise<void>
  listPages(): Promise<PageArrivals[]>

  readCheckpoint(file: string): Promise<ImportCheckpoint | undefined>
  writeCheckpoint(checkpoint: ImportCheckpoint): Promise<void>
  removeCheckpoint(file: string): Promise<void>
}
