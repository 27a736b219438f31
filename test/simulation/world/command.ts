import { RegistryError } from '../../../src/store/registry.ts'
import { sqliteStoreOn } from '../../../src/store/sqlite/store.ts'
import { StoreUnavailableError } from '../../../src/store/store.ts'
import { Violation } from '../model/violation.ts'
import type { Fault } from '../plan/fault.ts'
import type { Act } from '../plan/step.ts'
import { perform } from './administrator.ts'
import { Connection, DiskFailure, Killed, SYNC } from './connection.ts'
import type { Disk } from './disk.ts'

/** What an act is told of the world, and tells it. */
export interface ActWorld {
  readonly disk: Disk
  readonly now_ms: () => number
  /** By how many pages the database can grow; as it likes where it is not said. */
  readonly pages: number | undefined
  /** Whether the act is one that must be refused. */
  readonly isRefused: boolean
  /** The act is committed. What it has left to do, catching up does. */
  readonly onCommit: () => void
  /** The power was cut: of what was not synced, so much is left, from 0 to 1. */
  readonly onPowerCut: (left: number) => void
}

/** What became of an act: all of it is done, it is one that must be refused, or it was interrupted at some point. */
export type ActEnd = 'done' | 'refused' | 'interrupted'

/** Does what a command does, in a process of its own, which a fault may strike. */
export async function administer(act: Act, fault: Fault | undefined, world: ActWorld): Promise<ActEnd> {
  let commits = 0
  const onCommit = () => {
    world.disk.noteCommit()
    // The first commit is the act; what follows catches up with it. A prune is made of many, and is one when all are done.
    if (commits++ === 0 && act.kind !== 'prune') world.onCommit()
  }
  const onKill = (left: number | undefined) => (left === undefined ? undefined : world.onPowerCut(left))
  const connection = new Connection({ onCommit, onKill })
  const end = () => world.disk.beginSync()()
  const log = { sync: async () => connection.run(SYNC, end), [Symbol.asyncDispose]: async () => {} }
  await using store = sqliteStoreOn(connection.over(world.disk.open(world.pages)), log)
  if (fault !== undefined) connection.arm(fault)
  try {
    await perform(act, store, { now_ms: world.now_ms, file: (name) => world.disk.file(name) })
  } catch (error) {
    if (error instanceof RegistryError && world.isRefused) return 'refused'
    const isPlayed = [StoreUnavailableError, DiskFailure, Killed].some((kind) => error instanceof kind)
    if (isPlayed) return 'interrupted'
    throw error
  }
  if (act.kind === 'prune') world.onCommit()
  if (world.isRefused) throw new Violation(`an act is done that should be refused: ${JSON.stringify(act)}`)
  return 'done'
}
