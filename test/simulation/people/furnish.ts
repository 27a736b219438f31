import type { Store } from '../../../src/store/store.ts'
import { hashToken } from '../../../src/store/tokens.ts'
import type { History } from '../plan/step.ts'
import { ACCOUNTS, REGISTERED_ADS, REGISTERED_IN, TOKEN } from '../plan/universe.ts'

/** Accounts, a campaign and a token, as an administrator leaves them for the first start. */
export async function furnish(store: Store, { time_zones }: History): Promise<void> {
  await store.write(async ({ registry, tokens }) => {
    const numbers = new Map<string, number>()
    for (const [i, fields] of ACCOUNTS.entries()) {
      const time_zone = time_zones[i] ?? 'UTC'
      numbers.set(fields.account_id, (await registry.addAccount({ ...fields, time_zone })).account)
    }
    for (const ad of REGISTERED_ADS) await registry.addAd({ ...ad, account: numbers.get(REGISTERED_IN) ?? 0 })
    const token = { token_hash: hashToken(TOKEN), permission: 'read', created_at: 0 } as const
    await tokens.add({ ...token, accounts: new Set(numbers.values()) })
  })
}
