import { isSameMessage, type Resolution, resolve } from '../domain/resolution.ts'
import type { Admission } from './admission.ts'
import { addCells, addDifference, append } from './append.ts'
import { gather } from './gather.ts'
import { RollupCells } from './rollup-cells.ts'
import type { Store, Tables } from './store.ts'
import type { ThreadChange } from './threads.ts'

/** Threads resolved anew in one transaction: few enough that a server's writer waits for milliseconds. */
export const RESOLVE_THREADS_MAX = 1000

/** Parked facts taken in one transaction. */
export const CLAIM_FACTS_MAX = 1000

/**
 * Does what an administrator's act has left to do: appends the parked facts that it claimed, and resolves the threads
 * anew whose context it changed. In many small transactions, so that a server beside it goes on; stopped in between,
 * whoever opens the store next goes on from there.
 */
export async function catchUp(
  store: Store,
  admission: Admission,
  now_ms: () => number,
  onProgress: (done: number) => void = () => {},
): Promise<void> {
  let done = 0
  for (;;) {
    const step = await catchUpStep(store, admission, now_ms())
    if (step === undefined) return
    done += step
    onProgress(done)
  }
}

/**
 * One step of catching up: how many facts or threads it took, `undefined` when nothing is left to do. Claimed facts are
 * taken alone: a batch that does not know of the claim yet may be about to park one of them.
 */
export async function catchUpStep(store: Store, admission: Admission, now_ms: number): Promise<number | undefined> {
  const inTransaction = (work: typeof resolveAnew) => async (tables: Tables) => {
    await admission.open(tables.registry, now_ms)
    return work(tables, admission)
  }
  try {
    const resolved = await store.write(inTransaction(resolveAnew), 'shared')
    return resolved ?? (await store.write(inTransaction(appendClaimed)))
  } catch (error) {
    admission.close()
    throw error
  }
}

/**
 * Resolves the next batch of threads whose context changed, and keeps the rollups by difference. Returns how many
 * threads it looked at, or `undefined` when none is left.
 */
async function resolveAnew(tables: Tables, admission: Admission): Promise<number | undefined> {
  const pending = await tables.threads.readUnresolvedAd()
  if (pending === undefined) return undefined
  const { account, after_subscriber } = pending
  const context = await admission.contextOf(tables.registry, account)
  await tables.threads.hold([pending])
  const threads = await tables.threads.scan(pending, after_subscriber, RESOLVE_THREADS_MAX)
  const changes: ThreadChange[] = []
  const added = new RollupCells()
  for (const before of threads) {
    const resolution = resolve(before.facts, { ...context, listed_country: before.listed_country })
    if (isSame(resolution, before.resolution)) continue
    const change = { before, facts: before.facts, resolution }
    changes.push(change)
    addDifference(added, account, change)
  }
  await tables.threads.write(changes)
  await addCells(tables, added)
  const isLast = threads.length < RESOLVE_THREADS_MAX
  await tables.threads.writeUnresolvedAd(pending, isLast ? undefined : threads.at(-1)?.subscriber)
  return threads.length
}

/** Appends the next batch of parked facts whose ad was claimed; returns how many, `undefined` when none is left. */
async function appendClaimed(tables: Tables, admission: Admission): Promise<number | undefined> {
  const facts = await tables.setAside.takeClaimed(CLAIM_FACTS_MAX)
  const { parked } = await append(tables, admission, gather(facts))
  return facts.length === parked ? undefined : facts.length - parked
}

/** Whether two resolutions of the same facts say the same. */
function isSame(a: Resolution, b: Resolution): boolean {
  return (
    a.country === b.country &&
    a.region_class === b.region_class &&
    a.messages.every((message, i) => isSameMessage(message, b.messages[i])) &&
    a.clicks.every((click, i) => click.hour === b.clicks[i]?.hour && click.credited === b.clicks[i].credited) &&
    a.failures.every((day, i) => day === b.failures[i])
  )
}
