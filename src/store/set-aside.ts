import type { Fact } from '../domain/fact.ts'

/** Facts of one ad and page that wait for the ad to be registered. */
export interface ParkedAd {
  readonly ad_id: string
  readonly page_id: string
  readonly facts: number
}

/** A webhook change that could not be read as a fact, without its personal ids. */
export interface RejectedChange {
  readonly reason: string
  /** JSON. */
  readonly change: string
}

export interface StoredRejection extends RejectedChange {
  readonly change_digest: string
  readonly received_at: number
}

/** What came in and is not counted: parked facts, and changes that are no facts. Neither is lost. */
export interface SetAside {
  park(facts: readonly Fact[]): Promise<void>
  listParked(): Promise<ParkedAd[]>
  /** Takes out up to `limit` parked facts whose ad is registered, or can register itself, where their page allows. */
  takeClaimed(limit: number): Promise<Fact[]>

  reject(changes: readonly RejectedChange[], received_at: number): Promise<void>
  /** Up to `limit` rejected changes after the digest named, in the order of their digests. */
  listRejected(after_digest: string, limit: number): Promise<StoredRejection[]>
  removeRejected(change_digest: string): Promise<void>
}
