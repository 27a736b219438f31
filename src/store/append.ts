import { failureContributions } from '../domain/contributions.ts'
import type { Fact } from '../domain/fact.ts'
import { resolve } from '../domain/resolution.ts'
import { merge, threadOf } from '../domain/thread.ts'
import type { Admission } from './admission.ts'
import type { Pruned } from './pruned.ts'
import type { Placement } from './registry.ts'
import { RollupCells } from './rollup-cells.ts'
import type { Tables } from './store.ts'
import type { AdKey, StoredThread, ThreadChange, ThreadKey } from './threads.ts'

/** What became of the facts of a batch. A repeated fact is counted under `merged` each time it comes. */
export interface Appended {
  merged: number
  parked: number
  forgotten: number
  /** Refused, since what they tell of was pruned. */
  pruned: number
}

/** Threads that are read together, and written before the next are merged: what was made of them is soon dropped. */
const THREADS_AT_ONCE = 1000

/** Cells that are summed before they are added to the tables: a batch of many ads and days has as many as facts. */
const CELLS_AT_ONCE = 5000

/** Facts by their places, each of which may be made anew whenever it is asked for. */
export interface Facts {
  readonly length: number
  at(place: number): Fact | undefined
}

/** The places of the facts that came for a thread. */
interface Arrival extends ThreadKey {
  readonly places: number[]
}

/** What arrived, by ad and subscriber. */
type Arrivals = Map<number, Map<string, Arrival>>

/**
 * Merges facts into their threads, and keeps the rollups by difference, within one transaction (design 3). Facts may
 * come in any order and any number of times.
 */
export async function append(tables: Tables, admission: Admission, facts: Facts): Promise<Appended> {
  const appended = { merged: 0, parked: 0, forgotten: 0, pruned: 0 }
  const arrivals: Arrivals = new Map()
  const parked: Fact[] = []
  const floored: Placed[] = []
  for (let place = 0; place < facts.length; place++) {
    const fact = facts.at(place) as Fact
    const admitted = admission.recall(fact) ?? (await admission.admit(tables.registry, fact))
    if (admitted === 'forgotten') appended.forgotten++
    else if (admitted === 'parked') parked.push(fact)
    else if (admitted.floor_at === null) arrive(arrivals, admitted, fact.subscriber, place)
    else floored.push({ placement: admitted, fact, place })
  }
  if (parked.length > 0) await tables.setAside.park(parked)
  await tables.threads.hold(adsOf(arrivals, floored))
  if (floored.length > 0) appended.pruned = await arriveAboveFloors(tables.pruned, arrivals, floored)
  appended.parked = parked.length
  appended.merged = facts.length - appended.parked - appended.forgotten - appended.pruned
  await mergeArrivals(tables, admission, inOrder(arrivals), facts)
  return appended
}

/** A fact of an ad of which something was pruned. */
interface Placed {
  readonly placement: Placement
  readonly fact: Fact
  /** Among the facts of the batch. */
  readonly place: number
}

/**
 * Lets those facts arrive that cannot have been counted in a pruned thread, and returns how many it refused. A thread is
 * pruned when all that it knows is older than the floor. So a fact above it is new, unless it is of a pruned message: a late
 * read would prove the delivery that was counted already.
 */
async function arriveAboveFloors(pruned: Pruned, arrivals: Arrivals, floored: readonly Placed[]): Promise<number> {
  const above = floored.filter(({ placement, fact }) => fact.at >= (placement.floor_at ?? 0))
  const messages = above.flatMap((placed) => {
    const { account, ad } = placed.placement
    const { subscriber, tracking_id } = placed.fact
    return tracking_id === null ? [] : [{ account, ad, subscriber, tracking_id, placed }]
  })
  const counted = new Set((await pruned.filterMessages(messages)).map(({ placed }) => placed))
  const news = new Set(above.filter((placed) => !counted.has(placed)))
  for (const { placement, fact, place } of news) arrive(arrivals, placement, fact.subscriber, place)
  const refused = floored.filter((placed) => !news.has(placed))
  for (const ofAd of Map.groupBy(refused, ({ placement }) => placement.ad).values()) {
    await pruned.noteRefused((ofAd[0] as Placed).placement, ofAd.length)
  }
  return refused.length
}

function arrive(arrivals: Arrivals, { ad, account }: Placement, subscriber: string, place: number): void {
  let ofAd = arrivals.get(ad)
  if (ofAd === undefined) {
    ofAd = new Map()
    arrivals.set(ad, ofAd)
  }
  const arrival = ofAd.get(subscriber)
  if (arrival === undefined) ofAd.set(subscriber, { ad, account, subscriber, places: [place] })
  else arrival.places.push(place)
}

function adsOf(arrivals: Arrivals, floored: readonly Placed[]): AdKey[] {
  const ads = new Map(floored.map(({ placement: { account, ad } }) => [ad, { account, ad }]))
  for (const [ad, ofAd] of arrivals) for (const { account } of ofAd.values().take(1)) ads.set(ad, { account, ad })
  return [...ads.values()]
}

/** Neighbours in the tables are neighbours here, so that a batch touches each page of them once. */
function inOrder(arrivals: Arrivals): Arrival[] {
  const ads = [...arrivals.keys()].sort((a, b) => a - b)
  return ads.flatMap((ad) => [...(arrivals.get(ad)?.values() ?? [])].sort(bySubscriber))
}

function bySubscriber(a: Arrival, b: Arrival): number {
  return a.subscriber < b.subscriber ? -1 : 1
}

/**
 * One writing statement after another: a full disk ends SQLite's transaction at the statement that met it, and what came after
 * would be kept. An engine that is elsewhere writes these threads, and looks for the next, while more are merged.
 */
async function mergeArrivals(
  tables: Tables,
  admission: Admission,
  arrivals: readonly Arrival[],
  facts: Facts,
): Promise<void> {
  let added = new RollupCells()
  const ofAccounts = new RollupCells()
  const read = (start: number) => heeded(tables.threads.read(arrivals.slice(start, start + THREADS_AT_ONCE)))
  let reading = read(0)
  let writing: Promise<void> = Promise.resolve()
  for (let start = 0; start < arrivals.length; start += THREADS_AT_ONCE) {
    const stored = await reading
    reading = read(start + THREADS_AT_ONCE)
    const changes = await mergeStored(tables, admission, stored, {
      arrivals: arrivals.slice(start, start + THREADS_AT_ONCE),
      facts,
      added,
    })
    await writing
    writing = heeded(tables.threads.write(changes))
    if (added.size < CELLS_AT_ONCE) continue
    await writing
    await addCellsOfAds(tables, added, ofAccounts)
    added = new RollupCells()
  }
  await writing
  await addCellsOfAds(tables, added, ofAccounts)
  await tables.rollups.add(ofAccounts)
}

/** A promise that is awaited later, or not at all once another one has failed. */
function heeded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

/** What changes in threads as they are stored; the difference is added. */
async function mergeStored(
  { registry }: Tables,
  admission: Admission,
  stored: readonly StoredThread[],
  { arrivals, facts: come, added }: { arrivals: readonly Arrival[]; facts: Facts; added: RollupCells },
): Promise<ThreadChange[]> {
  const changes: ThreadChange[] = []
  let i = 0
  for (const before of stored) {
    const { account, places } = arrivals[i++] as Arrival
    let facts = before.facts
    for (const place of places) facts = merge(facts, threadOf(come.at(place) as Fact))
    if (facts === before.facts) continue
    const { calendar, rateCard } = admission.recallContext(account) ?? (await admission.contextOf(registry, account))
    const resolution = resolve(facts, { calendar, rateCard, listed_country: before.listed_country })
    const change = { before, facts, resolution }
    changes.push(change)
    addDifference(added, account, change)
  }
  return changes
}

/** The accounts' cells, which everyone wants, come last. */
export async function addCells(tables: Tables, added: RollupCells): Promise<void> {
  const ofAccounts = new RollupCells()
  await addCellsOfAds(tables, added, ofAccounts)
  await tables.rollups.add(ofAccounts)
}

/** Adds the cells of ads, and gathers what they are to their accounts' own. */
async function addCellsOfAds({ rollups }: Tables, added: RollupCells, ofAccounts: RollupCells): Promise<void> {
  await rollups.add(added)
  ofAccounts.addAll(added.ofAccounts())
}

/** Adds `contributions(after) - contributions(before)` of one thread (design 3, sentence 4). */
export function addDifference(added: RollupCells, account: number, change: ThreadChange): void {
  const { before, facts, resolution } = change
  added.addThread(account, before.ad, resolution)
  added.subtractThread(account, before.ad, before.resolution)
  if (facts.failures.length === 0) return
  const failed = failureContributions(facts.failures, resolution.failures)
  const failedBefore = failureContributions(before.facts.failures, before.resolution.failures)
  for (const failure of failed) added.addFailure(account, before.ad, failure, 1n)
  for (const failure of failedBefore) added.addFailure(account, before.ad, failure, -1n)
}
