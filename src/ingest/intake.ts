import type { FactKind } from '../domain/fact.ts'
import type { Admission } from '../store/admission.ts'
import { type Appended, append } from '../store/append.ts'
import type { PageEvent } from '../store/arrivals.ts'
import type { Store, Tables } from '../store/store.ts'
import type { Pseudonyms } from './pseudonym.ts'
import { parseWebhook, type Webhook, WebhookError } from './webhook.ts'

/** What became of a webhook body: `null` when all of it is committed, else why it could not be read. */
export type Unreadable = string | null

/** What a group of bodies brought. */
export interface IntakeCounts extends Appended {
  readonly facts: Partial<Record<FactKind, number>>
  /** Whether there was anything to commit. */
  readonly committed: boolean
  readonly rejected: number
  readonly ignored: number
}

export interface Taken {
  /** In the order of the bodies. */
  readonly unreadable: readonly Unreadable[]
  readonly counts: IntakeCounts
}

const NOTHING: Appended = { merged: 0, parked: 0, forgotten: 0, pruned: 0 }

/** Turns webhook bodies into facts of the ledger, a group of bodies in one transaction. */
export class Intake {
  readonly #store: Store
  readonly #admission: Admission
  readonly #pseudonyms: Pseudonyms

  constructor(store: Store, admission: Admission, pseudonyms: Pseudonyms) {
    this.#store = store
    this.#admission = admission
    this.#pseudonyms = pseudonyms
  }

  /**
   * Commits what the bodies say; a body that cannot be read leaves the others alone. Throws when the store could not
   * commit: nothing of the group is stored then, and all of it may come again.
   */
  async take(bodies: readonly string[], received_at: number): Promise<Taken> {
    const unreadable: Unreadable[] = []
    const all: Webhook = { facts: [], rejected: [], ignored: 0 }
    for (const body of bodies) unreadable.push(this.#read(body, all, received_at))
    const appended = await this.#commit(all, received_at)
    const counts = {
      ...appended,
      facts: countKinds(all),
      committed: isNews(all),
      rejected: all.rejected.length,
      ignored: all.ignored,
    }
    return { unreadable, counts }
  }

  #read(body: string, all: Webhook, received_at: number): Unreadable {
    try {
      const { facts, rejected, ignored } = parseWebhook(body, this.#pseudonyms, received_at)
      for (const fact of facts) all.facts.push(fact)
      for (const change of rejected) all.rejected.push(change)
      all.ignored += ignored
      return null
    } catch (error) {
      if (error instanceof WebhookError) return error.message
      throw error
    }
  }

  async #commit({ facts, rejected }: Webhook, received_at: number): Promise<Appended> {
    if (!isNews({ facts, rejected })) return NOTHING
    try {
      return await this.#store.write(async (tables: Tables) => {
        await this.#admission.open(tables.registry, received_at)
        if (rejected.length > 0) await tables.setAside.reject(rejected, received_at)
        const appended = await append(tables, this.#admission, facts)
        await tables.arrivals.notePageEvents(distinctEvents({ facts }), received_at)
        return appended
      }, 'shared')
    } catch (error) {
      this.#admission.close()
      throw error
    }
  }
}

function isNews({ facts, rejected }: Pick<Webhook, 'facts' | 'rejected'>): boolean {
  return facts.length + rejected.length > 0
}

function distinctEvents({ facts }: Pick<Webhook, 'facts'>): PageEvent[] {
  const events = new Map(facts.map(({ page_id, kind }) => [`${page_id} ${kind}`, { page_id, kind }]))
  return [...events.values()]
}

function countKinds({ facts }: Webhook): Partial<Record<FactKind, number>> {
  const counts: Partial<Record<FactKind, number>> = {}
  for (const { kind } of facts) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}
