import type { Resolution } from '../domain/resolution.ts'
import type { Thread } from '../domain/thread.ts'

/** An ad and the account that it is counted in; both are the store's own short numbers. */
export interface AdKey {
  readonly account: number
  readonly ad: number
}

/** One subscriber within one ad. */
export interface ThreadKey extends AdKey {
  readonly subscriber: string
}

/** A thread as its rows have it: the facts, what they were resolved to, and the subscriber's listed country. */
export interface StoredThread extends ThreadKey {
  readonly facts: Thread
  readonly resolution: Resolution
  readonly listed_country: string | null
}

/** A thread and what is to stand in its rows from now on. */
export interface ThreadChange {
  readonly before: StoredThread
  readonly facts: Thread
  readonly resolution: Resolution
}

/** An ad whose threads are to be resolved anew, and the subscriber after whom to go on. */
export interface UnresolvedAd extends AdKey {
  readonly after_subscriber: string
}

/** The ledger: messages, clicks, failures and named countries, by thread. */
export interface Threads {
  /**
   * Keeps whoever else writes away from the threads of these ads until the transaction ends. A transaction that several
   * servers may do at once holds its ads before it reads their threads, all of them in one call.
   */
  hold(ads: readonly AdKey[]): Promise<void>
  /** The threads of these keys, in their order; an unknown one comes back empty. */
  read(keys: readonly ThreadKey[]): Promise<StoredThread[]>
  /** Up to `limit` threads of an ad, by subscriber, after the one named. */
  scan(ad: AdKey, after_subscriber: string, limit: number): Promise<StoredThread[]>
  write(changes: readonly ThreadChange[]): Promise<void>
  /** Drops every row of these threads; what they contributed stays in the rollups. */
  remove(threads: readonly ThreadKey[]): Promise<void>
  /** What the ledger takes on disk over its messages, in bytes, indexes included; 0 without messages. */
  readBytesPerMessage(): Promise<number>
  /**
   * Puts every row of a person under another id, in every ad, in the subscriber list and in what is set aside; returns how many.
   * Whoever resolves threads anew begins again with each ad.
   */
  rename(subscriber: string, replacement: string): Promise<number>

  /** An ad that nobody else resolves in this moment, and the subscriber after whom to go on. */
  readUnresolvedAd(): Promise<UnresolvedAd | undefined>
  countUnresolvedAds(): Promise<number>
  /** Goes on after this subscriber next time; `undefined` when the ad is done. */
  writeUnresolvedAd(ad: AdKey, after_subscriber: string | undefined): Promise<void>
}
