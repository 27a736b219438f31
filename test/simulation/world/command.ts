import { sqliteStoreOn } from '../../../src/store/sqlite/store.ts'
import { StoreUnavailableError } from '../../../src/store/store.ts'
import { type ActEnd, type ActWorld, administer } from '../people/administrator.ts'
import type { Fault } from '../plan/fault.ts'
import type { Act } from '../plan/step.ts'
import { Connection, DiskFailure, Killed, SYNC } from './connection.ts'
import type { Disk } from './disk.ts'

/** What an act of a process of its own is told of the world, and tells it. */
export interface CommandWorld extends Pick<ActWorld, 'now_ms' | 'isRefused' | 'onCommit'> {
  readonly disk: Disk
  /** By how many pages the database can grow; as it likes where it is not said. */
  readonly pages: number | undefined
  /** The power was cut: of what was not synced, so much is left, from 0 to 1. */
  readonly onPowerCut: (left: number) => void
}

/** Does what a command does, in a process of its own, which a fault may strike. */
export async function command(act: Act, fault: Fault | undefined, world: CommandWorld): Promise<ActEnd> {
  const { disk, pages, onPowerCut } = world
  const open = async (noteCommit: () => void) => {
    const onCommit = () => {
      disk.noteCommit()
      noteCommit()
    }
    const onKill = (left: number | undefined) => (left === undefined ? undefined : onPowerCut(left))
    const connection = new Connection({ onCommit, onKill })
    const end = () => disk.beginSync()()
    const log = { sync: async () => connection.run(SYNC, end), [Symbol.asyncDispose]: async () => {} }
    const store = sqliteStoreOn(connection.over(disk.open(pages)), log)
    if (fault !== undefined) connection.arm(fault)
    return store
  }
  const isPlayed = (error: unknown) =>
    [StoreUnavailableError, DiskFailure, Killed].some((kind) => error instanceof kind)
  return administer(act, { ...world, open, isPlayed, file: (name) => disk.file(name) })
}
