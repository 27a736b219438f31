import type { FactKind } from '../domain/fact.ts'
import type { Admission } from '../store/admission.ts'
import { type Appended, append } from '../store/append.ts'
import { gather } from '../store/gather.ts'
import type { Store, Tables } from '../store/store.ts'
import type { ParsedGroup } from './group.ts'

/** What a group of bodies brought. */
export interface IntakeCounts extends Appended {
  readonly facts: Partial<Record<FactKind, number>>
  /** Whether there was anything to commit. */
  readonly committed: boolean
  readonly rejected: number
  readonly ignored: number
}

const NOTHING: Appended = { merged: 0, parked: 0, forgotten: 0, pruned: 0 }

/**
 * Commits what a group says, in one transaction. Rejects when the store could not commit: nothing of the group is stored then,
 * and all of it may come again.
 */
export async function takeIn(store: Store, admission: Admission, group: ParsedGroup): Promise<IntakeCounts> {
  const committed = group.facts.length + group.rejected.length > 0
  const appended = committed ? await commit(store, admission, group) : NOTHING
  return {
    ...appended,
    facts: group.kinds,
    committed,
    rejected: group.rejected.length,
    ignored: group.ignored,
  }
}

async function commit(store: Store, admission: Admission, group: ParsedGroup): Promise<Appended> {
  const { rejected, events, received_at } = group
  const gathered = gather(group.facts)
  try {
    return await store.write(async (tables: Tables) => {
      await admission.open(tables.registry, received_at)
      if (rejected.length > 0) await tables.setAside.reject(rejected, received_at)
      const appended = await append(tables, admission, gathered)
      await tables.arrivals.notePageEvents(events, received_at)
      return appended
    }, 'shared')
  } catch (error) {
    admission.close()
    throw error
  }
}
