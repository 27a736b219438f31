import { setTimeout } from 'node:timers/promises'
import { isPostgres } from './open.ts'
import { isServed } from './sqlite/lock.ts'

/** What a long act does between its transactions, so that others can write. */
export type Rest = () => Promise<void>

/** Rests as long as was worked since the last rest: whoever else writes has half of the time. */
export function restAsLong(): Rest {
  let rested_at = performance.now()
  return async () => {
    await setTimeout(performance.now() - rested_at)
    rested_at = performance.now()
  }
}

/**
 * The same while a server has the SQLite file: there one transaction keeps all others waiting, and those who wait look only now
 * and then. Servers on PostgreSQL write beside it.
 */
export function restBesideServer(database: string): Rest {
  if (isPostgres(database)) return async () => {}
  let rest = restAsLong()
  return async () => {
    if (isServed(database)) await rest()
    else rest = restAsLong()
  }
}
