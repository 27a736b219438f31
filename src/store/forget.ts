import { DAY_MS } from '../domain/day.ts'
import type { Store } from './store.ts'

/** How long a forgotten person's late facts are refused; Meta retries webhooks no longer (contract 13.3). */
export const FORGOTTEN_MS = 7 * DAY_MS

/**
 * Puts a person's rows under an id that leads nowhere, and refuses their late facts; the counts stay (design 7). Returns
 * how many rows there were.
 */
export async function forget(store: Store, subscriber: string, replacement: string, now_ms: number): Promise<number> {
  return store.write(async ({ threads, registry }) => {
    const rows = await threads.rename(subscriber, replacement)
    await registry.removeForgotten(now_ms)
    await registry.writeForgotten(subscriber, now_ms + FORGOTTEN_MS)
    return rows
  })
}
