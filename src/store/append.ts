import { failureContributions } from '../domain/contributions.ts'
import type { Fact } from '../domain/fact.ts'
import { resolve } from '../domain/resolution.ts'
import { merge, mergeAll, threadOf } from '../domain/thread.ts'
import type { Admission } from './admission.ts'
import { addPlace, type Facts, type GatheredFacts } from './gather.ts'
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
const THREADS_AT_ONCE = 250

/** Cells that are summed before they are added to the tables: a batch of many ads and days has as many as facts. */
export const CELLS_AT_ONCE = 5000

/** The places of the facts that came for a thread. */
interface IncomingOfThread extends ThreadKey {
  readonly places: readonly number[]
}

/** The places of the facts that came for an ad, by subscriber. */
interface IncomingOfAd extends AdKey {
  readonly places: Map<string, number[]>
}

/** What came, by ad. */
type Incoming = Map<number, IncomingOfAd>

/**
 * Merges facts into their threads, and keeps the rollups by difference, within one transaction (design 3). Facts may
 * come in any order and any number of times. Takes the lists of what was gathered over.
 */
export async function append(tables: Tables, admission: Admission, gathered: GatheredFacts): Promise<Appended> {
  const { facts } = gathered
  const appended = { merged: 0, parked: 0, forgotten: 0, pruned: 0 }
  const incoming: Incoming = new Map()
  const parked: Fact[] = []
  const floored: Placed[] = []
  for (const place of arriveKnown(admission, gathered, incoming)) {
    const fact = facts.at(place) as Fact
    const admitted = await admission.admit(tables.registry, fact)
    if (admitted === 'forgotten') appended.forgotten++
    else if (admitted === 'parked') parked.push(fact)
    else if (admitted.floor_at === null) arrive(incoming, admitted, fact.subscriber, place)
    else floored.push({ placement: admitted, fact, place })
  }
  if (parked.length > 0) await tables.setAside.park(parked)
  await tables.threads.hold(adsOf(incoming, floored))
  if (floored.length > 0) appended.pruned = await arriveAboveFloors(tables.pruned, incoming, floored)
  appended.parked = parked.length
  appended.merged = facts.length - appended.parked - appended.forgotten - appended.pruned
  await mergeIncoming(tables, admission, inOrder(incoming), facts)
  return appended
}

/**
 * Lets those facts arrive of which it is known, by ad and page alone, where they are counted: nearly all. Returns the places of
 * the others in their order; of them one after another is admitted, since one may register an ad that the next tells of.
 */
function arriveKnown(admission: Admission, { groups }: GatheredFacts, incoming: Incoming): number[] {
  const others: number[] = []
  for (const group of groups) {
    const placement = admission.recall(group)
    for (const [subscriber, places] of group.places) {
      if (placement !== undefined && !admission.forgets(subscriber)) continue
      group.places.delete(subscriber)
      for (const place of places) others.push(place)
    }
    if (placement !== undefined && group.places.size > 0) arriveTogether(incoming, placement, group.places)
  }
  return others.sort((a, b) => a - b)
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
async function arriveAboveFloors(pruned: Pruned, incoming: Incoming, floored: readonly Placed[]): Promise<number> {
  const above = floored.filter(({ placement, fact }) => fact.at >= (placement.floor_at ?? 0))
  const messages = above.flatMap((placed) => {
    const { account, ad } = placed.placement
    const { subscriber, tracking_id } = placed.fact
    return tracking_id === null ? [] : [{ account, ad, subscriber, tracking_id, placed }]
  })
  const counted = new Set((await pruned.filterMessages(messages)).map(({ placed }) => placed))
  const news = new Set(above.filter((placed) => !counted.has(placed)))
  for (const { placement, fact, place } of news) arrive(incoming, placement, fact.subscriber, place)
  const refused = floored.filter((placed) => !news.has(placed))
  for (const ofAd of Map.groupBy(refused, ({ placement }) => placement.ad).values()) {
    await pruned.noteRefused((ofAd[0] as Placed).placement, ofAd.length)
  }
  return refused.length
}

function arrive(incoming: Incoming, { ad, account }: Placement, subscriber: string, place: number): void {
  const ofAd = incoming.get(ad)
  if (ofAd === undefined) incoming.set(ad, { ad, account, places: new Map([[subscriber, [place]]]) })
  else addPlace(ofAd.places, subscriber, place)
}

/** Most ads are told of by one page. */
function arriveTogether(incoming: Incoming, { ad, account }: Placement, places: Map<string, number[]>): void {
  const ofAd = incoming.get(ad)
  if (ofAd === undefined) incoming.set(ad, { ad, account, places })
  else for (const [subscriber, own] of places) for (const place of own) addPlace(ofAd.places, subscriber, place)
}

function adsOf(incoming: Incoming, floored: readonly Placed[]): AdKey[] {
  const ads = new Map(floored.map(({ placement: { account, ad } }) => [ad, { account, ad }]))
  for (const { account, ad } of incoming.values()) ads.set(ad, { account, ad })
  return [...ads.values()]
}

/** Neighbours in the tables are neighbours here, so that a batch touches each page of them once. */
function inOrder(incoming: Incoming): IncomingOfThread[] {
  const ads = [...incoming.values()].sort((a, b) => a.ad - b.ad)
  return ads.flatMap(({ ad, account, places }) =>
    [...places].sort(bySubscriber).map(([subscriber, own]) => ({ ad, account, subscriber, places: own })),
  )
}

function bySubscriber([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}

/**
 * One writing statement after another: a full disk ends SQLite's transaction at the statement that met it, and what came after
 * would be kept. An engine that is elsewhere writes these threads, and looks for the next, while more are merged.
 */
async function mergeIncoming(
  tables: Tables,
  admission: Admission,
  incoming: readonly IncomingOfThread[],
  facts: Facts,
): Promise<void> {
  let added = new RollupCells()
  const ofAccounts = new RollupCells()
  const read = (start: number) => heeded(tables.threads.read(incoming.slice(start, start + THREADS_AT_ONCE)))
  let reading = read(0)
  let writing: Promise<void> = Promise.resolve()
  for (let start = 0; start < incoming.length; start += THREADS_AT_ONCE) {
    const stored = await reading
    reading = read(start + THREADS_AT_ONCE)
    const changes = await mergeStored(tables, admission, stored, {
      incoming: incoming.slice(start, start + THREADS_AT_ONCE),
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
  await addCells(tables, added, ofAccounts)
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
  { incoming, facts: come, added }: { incoming: readonly IncomingOfThread[]; facts: Facts; added: RollupCells },
): Promise<ThreadChange[]> {
  const changes: ThreadChange[] = []
  let i = 0
  for (const before of stored) {
    const { account, places } = incoming[i++] as IncomingOfThread
    const facts = merge(before.facts, mergeAll(places.map((place) => threadOf(come.at(place) as Fact))))
    if (facts === before.facts) continue
    const { calendar, rateCard } = admission.recallContext(account) ?? (await admission.contextOf(registry, account))
    const resolution = resolve(facts, { calendar, rateCard, listed_country: before.listed_country })
    const change = { before, facts, resolution }
    changes.push(change)
    addDifference(added, account, change)
  }
  return changes
}

/** The accounts' cells, which everyone wants, come last, with those that were gathered before. */
export async function addCells(tables: Tables, added: RollupCells, ofAccounts = new RollupCells()): Promise<void> {
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
