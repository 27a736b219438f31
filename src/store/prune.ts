import { calendarOf } from '../domain/calendar.ts'
import type { Day } from '../domain/day.ts'
import { latestTime } from '../domain/thread.ts'
import type { Admission } from './admission.ts'
import { packThreads } from './baseline.ts'
import { catchUp } from './catch-up.ts'
import type { Account } from './registry.ts'
import type { Rest } from './rest.ts'
import type { Store, Tables } from './store.ts'
import type { AdKey, StoredThread } from './threads.ts'

/** Threads looked at in one transaction: few enough that a server's writer waits for milliseconds. */
export const PRUNE_THREADS_MAX = 1000

/** Rows that were pruned, or would be. */
export interface PrunedRows {
  threads: number
  messages: number
  clicks: number
  failures: number
}

export interface PruneOptions {
  readonly accounts: readonly Account[]
  /** A thread goes when all that it knows happened before this day, in its account's time zone. */
  readonly before: Day
  readonly now_ms: () => number
  /** Waited for after each transaction, so that whoever else writes has a turn. */
  readonly rest: Rest
  readonly onProgress: (done: number, total: number, rows: PrunedRows) => void
}

/**
 * Drops the threads of closed days, and keeps their counts as the baselines of their ads. From now on facts before that
 * day are refused in these accounts' ads, and so are later facts of a pruned message; nothing else that comes can have
 * been counted. In many small transactions; stopped in between, everything is as true as before, and the same call goes on.
 */
export async function prune(store: Store, admission: Admission, options: PruneOptions): Promise<PrunedRows> {
  await catchUp(store, admission, options.now_ms)
  await store.write(async ({ pruned }) => {
    for (const account of options.accounts) await pruned.raiseFloor(account.account, floorOf(account, options.before))
  })
  return eachPage(store, options, async (ad_id, after_subscriber) => {
    for (;;) {
      const page = await store.write((tables) => prunePage(tables, ad_id, after_subscriber), 'shared')
      await options.rest()
      if (page !== 'unresolved') return page
      await catchUp(store, admission, options.now_ms)
    }
  })
}

/** Counts what `prune` would drop now. */
export async function countPrunable(store: Store, options: PruneOptions): Promise<PrunedRows> {
  const floors = new Map(options.accounts.map((account) => [account.account, floorOf(account, options.before)]))
  return eachPage(store, options, (ad_id, after_subscriber) =>
    store.read(async (tables) => {
      const place = (await tables.registry.readPlacement(ad_id)) ?? { account: -1, ad: -1 }
      return readPage(tables, place, floors.get(place.account) ?? 0, after_subscriber)
    }),
  )
}

/** Threads of an ad that are closed, and the subscriber after whom to go on, if there are more. */
interface Page {
  readonly closed: readonly StoredThread[]
  readonly last_subscriber: string | undefined
}

async function eachPage(
  store: Store,
  { accounts, onProgress }: PruneOptions,
  take: (ad_id: string, after_subscriber: string) => Promise<Page>,
): Promise<PrunedRows> {
  const rows = { threads: 0, messages: 0, clicks: 0, failures: 0 }
  const ads = (await Promise.all(accounts.map(({ account }) => store.registry.listAdsOf(account)))).flat()
  for (const [i, { ad_id }] of ads.entries()) {
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page: Page = await take(ad_id, after)
      for (const { facts } of page.closed) {
        rows.threads++
        rows.messages += facts.messages.length
        rows.clicks += facts.clicks.length
        rows.failures += facts.failures.length
      }
      after = page.last_subscriber
      onProgress(after === undefined ? i + 1 : i, ads.length, rows)
    }
  }
  return rows
}

/** Prunes one page of an ad's threads. What is yet to be resolved anew is left as it is: it would stay wrong for ever. */
async function prunePage(tables: Tables, ad_id: string, after_subscriber: string): Promise<Page | 'unresolved'> {
  if ((await tables.threads.countUnresolvedAds()) > 0) return 'unresolved'
  const placement = await tables.registry.readPlacement(ad_id)
  if (placement === undefined) return { closed: [], last_subscriber: undefined }
  const { account, ad, floor_at } = placement
  await tables.threads.hold([placement])
  const page = await readPage(tables, placement, floor_at ?? 0, after_subscriber)
  const messages = page.closed.flatMap(({ subscriber, facts }) =>
    facts.messages.map(({ tracking_id }) => ({ account, ad, subscriber, tracking_id })),
  )
  if (page.closed.length > 0) await tables.pruned.addBaseline(placement, packThreads(page.closed))
  await tables.pruned.addMessages(messages)
  await tables.threads.remove(page.closed)
  return page
}

async function readPage({ threads }: Tables, ad: AdKey, floor_at: number, after_subscriber: string): Promise<Page> {
  const page = await threads.scan(ad, after_subscriber, PRUNE_THREADS_MAX)
  const isLast = page.length < PRUNE_THREADS_MAX
  return {
    closed: page.filter(({ facts }) => latestTime(facts) < floor_at),
    last_subscriber: isLast ? undefined : page.at(-1)?.subscriber,
  }
}

function floorOf({ time_zone }: Account, before: Day): number {
  return calendarOf(time_zone).startOf(before)
}
