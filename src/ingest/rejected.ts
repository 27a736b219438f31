import type { Fact } from '../domain/fact.ts'
import type { Admission } from '../store/admission.ts'
import { append } from '../store/append.ts'
import { gather } from '../store/gather.ts'
import type { Store } from '../store/store.ts'
import { FactError } from './fact.ts'
import { parseRejected } from './webhook.ts'

/** Rejected changes looked at in one transaction. */
const CHANGES_MAX = 1000

/** Reads rejected changes again, and appends those that have become facts: under a newer version, or a right clock. */
export async function retryRejected(
  store: Store,
  admission: Admission,
  now_ms: number,
): Promise<{ accepted: number; rejected: number }> {
  const retried = { accepted: 0, rejected: 0 }
  let after_digest = ''
  for (;;) {
    const changes = await store.setAside.listRejected(after_digest, CHANGES_MAX)
    await store.write(async (tables) => {
      await admission.open(tables.registry, now_ms)
      const facts: Fact[] = []
      for (const { change_digest, change } of changes) {
        const fact = factOf(change, now_ms)
        if (fact === undefined) continue
        facts.push(fact)
        await tables.setAside.removeRejected(change_digest)
      }
      await append(tables, admission, gather(facts))
      retried.accepted += facts.length
      retried.rejected += changes.length - facts.length
    })
    if (changes.length < CHANGES_MAX) return retried
    after_digest = changes.at(-1)?.change_digest ?? ''
  }
}

function factOf(change: string, now_ms: number) {
  try {
    return parseRejected(change, now_ms)
  } catch (error) {
    if (error instanceof FactError) return undefined
    throw error
  }
}
