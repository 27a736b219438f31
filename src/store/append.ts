import { contributions, failureContributions } from '../domain/contributions.ts'
import type { Fact } from '../domain/fact.ts'
import { resolve } from '../domain/resolution.ts'
import { merge, type Thread, threadOf } from '../domain/thread.ts'
import type { Admission } from './admission.ts'
import type { Pruned } from './pruned.ts'
import type { Placement } from './registry.ts'
import { RollupCells } from './rollup-cells.ts'
import type { Tables } from './store.ts'
import type { AdKey, ThreadChange, ThreadKey } from './threads.ts'

/** What became of the facts of a batch. A repeated fact is counted under `merged` each time it comes. */
export interface Appended {
  merged: number
  parked: number
  forgotten: number
  /** Refused, since what they tell of was pruned. */
  pruned: number
}

interface Arrival extends ThreadKey {
  facts: Thread
}

/**
 * Merges facts into their threads, and keeps the rollups by difference, within one transaction (design 3). Facts may
 * come in any order and any number of times.
 */
export async function append(tables: Tables, admission: Admission, facts: readonly Fact[]): Promise<Appended> {
  const appended = { merged: 0, parked: 0, forgotten: 0, pruned: 0 }
  const arrivals = new Map<string, Arrival>()
  const parked: Fact[] = []
  const floored: Placed[] = []
  for (const fact of facts) {
    const admitted = admission.recall(fact) ?? (await admission.admit(tables.registry, fact))
    if (admitted === 'forgotten') appended.forgotten++
    else if (admitted === 'parked') parked.push(fact)
    else if (admitted.floor_at === null) arrive(arrivals, admitted, fact)
    else floored.push({ placement: admitted, fact })
  }
  const placements = [...arrivals.values(), ...floored.map(({ placement }) => placement)]
  if (parked.length > 0) await tables.setAside.park(parked)
  await tables.threads.hold(distinctAds(placements))
  if (floored.length > 0) appended.pruned = await arriveAboveFloors(tables.pruned, arrivals, floored)
  appended.parked = parked.length
  appended.merged = facts.length - appended.parked - appended.forgotten - appended.pruned
  await mergeArrivals(tables, admission, [...arrivals.values()].sort(byKey))
  return appended
}

/** A fact of an ad of which something was pruned. */
interface Placed {
  readonly placement: Placement
  readonly fact: Fact
}

/**
 * Lets those facts arrive that cannot have been counted in a pruned thread, and returns how many it refused. A thread is
 * pruned when all that it knows is older than the floor. So a fact above it is new, unless it is of a pruned message: a late
 * read would prove the delivery that was counted already.
 */
async function arriveAboveFloors(
  pruned: Pruned,
  arrivals: Map<string, Arrival>,
  floored: readonly Placed[],
): Promise<number> {
  const above = floored.filter(({ placement, fact }) => fact.at >= (placement.floor_at ?? 0))
  const messages = above.flatMap((placed) => {
    const { account, ad } = placed.placement
    const { subscriber, tracking_id } = placed.fact
    return tracking_id === null ? [] : [{ account, ad, subscriber, tracking_id, placed }]
  })
  const counted = new Set((await pruned.filterMessages(messages)).map(({ placed }) => placed))
  const news = new Set(above.filter((placed) => !counted.has(placed)))
  for (const { placement, fact } of news) arrive(arrivals, placement, fact)
  const refused = floored.filter((placed) => !news.has(placed))
  for (const ofAd of Map.groupBy(refused, ({ placement }) => placement.ad).values()) {
    await pruned.noteRefused((ofAd[0] as Placed).placement, ofAd.length)
  }
  return refused.length
}

function arrive(arrivals: Map<string, Arrival>, { ad, account }: Placement, fact: Fact): void {
  const key = `${ad} ${fact.subscriber}`
  const arrival = arrivals.get(key)
  if (arrival === undefined) arrivals.set(key, { ad, account, subscriber: fact.subscriber, facts: threadOf(fact) })
  else arrival.facts = merge(arrival.facts, threadOf(fact))
}

async function mergeArrivals(tables: Tables, admission: Admission, arrivals: readonly Arrival[]): Promise<void> {
  const changes: ThreadChange[] = []
  const added = new RollupCells()
  const stored = await tables.threads.read(arrivals)
  for (const [i, before] of stored.entries()) {
    const { account, facts: news } = arrivals[i] as Arrival
    const facts = merge(before.facts, news)
    if (facts === before.facts) continue
    const context = await admission.contextOf(tables.registry, account)
    const resolution = resolve(facts, { ...context, listed_country: before.listed_country })
    const change = { before, facts, resolution }
    changes.push(change)
    addDifference(added, account, change)
  }
  await writeChanges(tables, changes, added)
}

/**
 * One after another: a full disk ends SQLite's transaction at the statement that met it, and what came after would be kept.
 * The accounts' cells, which everyone wants, come last.
 */
export async function writeChanges(
  { threads, rollups }: Tables,
  changes: readonly ThreadChange[],
  added: RollupCells,
): Promise<void> {
  await threads.write(changes)
  await rollups.add(added)
  await rollups.add(added.ofAccounts())
}

/** Adds `contributions(after) - contributions(before)` of one thread (design 3, sentence 4). */
export function addDifference(added: RollupCells, account: number, change: ThreadChange): void {
  const { before, facts, resolution } = change
  for (const contribution of contributions(resolution)) added.add(account, before.ad, contribution)
  for (const contribution of contributions(before.resolution)) added.subtract(account, before.ad, contribution)
  const failed = failureContributions(facts.failures, resolution.failures)
  const failedBefore = failureContributions(before.facts.failures, before.resolution.failures)
  for (const failure of failed) added.addFailure(account, before.ad, failure, 1n)
  for (const failure of failedBefore) added.addFailure(account, before.ad, failure, -1n)
}

function distinctAds(keys: readonly AdKey[]): AdKey[] {
  return [...new Map(keys.map(({ account, ad }) => [ad, { account, ad }])).values()]
}

/** Neighbours in the tables stay neighbours in the batch, so that a batch touches each page of them once. */
function byKey(a: ThreadKey, b: ThreadKey): number {
  return a.ad - b.ad || (a.subscriber < b.subscriber ? -1 : 1)
}
