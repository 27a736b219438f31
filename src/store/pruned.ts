import { hash } from 'node:crypto'
import type { AdKey, ThreadKey } from './threads.ts'

/** One send to one subscriber. */
export interface MessageKey extends ThreadKey {
  readonly tracking_id: string
}

/** Since when an account's facts are counted, and how many facts of what was pruned came afterwards. */
export interface Floor {
  readonly account: number
  /** The latest of its ads' floors, in milliseconds since 1970. */
  readonly floor_at: number
  readonly refused_facts: number
}

/** What some threads of an ad contribute, now that they are gone: see `packThreads`. */
export interface BaselinePart {
  /** The store's own number of it. */
  readonly part: number
  readonly packed: Uint8Array
}

/** What is kept of pruned threads: what they contribute, and enough to refuse a fact that would count them again. */
export interface Pruned {
  /** From now on facts before this time are refused in every ad that the account has; a floor never sinks. */
  raiseFloor(account: number, floor_at: number): Promise<void>
  /** The accounts that have a floor. */
  listFloors(): Promise<Floor[]>
  addBaseline(ad: AdKey, packed: Uint8Array): Promise<void>
  /** Up to `limit` parts of an ad's baseline, which is the sum of them all, after the part named. */
  readBaseline(ad: AdKey, after_part: number, limit: number): Promise<BaselinePart[]>
  /** Keeps in mind that these messages were counted. */
  addMessages(messages: readonly MessageKey[]): Promise<void>
  /** Those of these messages that were pruned. */
  filterMessages<Message extends MessageKey>(messages: readonly Message[]): Promise<Message[]>
  noteRefused(ad: AdKey, facts: number): Promise<void>
}

/** 64 bits that stand for a message: beside a billion others of its ad, they are another's once in 18 billion times. */
export function hashMessage({ subscriber, tracking_id }: MessageKey): bigint {
  return hash('sha256', `${subscriber} ${tracking_id}`, 'buffer').readBigInt64LE()
}
