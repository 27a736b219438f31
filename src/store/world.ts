import { REGION_LIST_VERSION } from '../domain/region.ts'
import type { Store } from './store.ts'

const SETTING = 'resolved_under'

/**
 * Has every thread resolved anew when the list of regions or the time-zone database is another than the threads were
 * resolved under (design 3, sentence 2).
 */
export async function noteWorld(store: Store, time_zone_database: string): Promise<void> {
  const world = `regions ${REGION_LIST_VERSION}, time zones ${time_zone_database}`
  const known = await store.registry.readSetting(SETTING)
  if (known === world) return
  await store.write(async ({ registry }) => {
    if (known !== undefined) await registry.resolveAll()
    await registry.writeSetting(SETTING, world)
  })
}
