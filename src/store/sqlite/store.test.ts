import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { TemporaryFolder } from '../../../test/temporary-folder.ts'
import type { Tables } from '../store.ts'
import { openSqliteStore } from './store.ts'

/** More than readers of one turn have together. */
const LONG_MS = 12

test('those who read long are each told when they have read, and others have their turns between', async () => {
  using folder = new TemporaryFolder()
  await using store = openSqliteStore(folder.file('readout.db'))
  const happened: string[] = []
  const readLong = async (tables: Tables) => {
    await tables.registry.readVersion()
    const until_ms = performance.now() + LONG_MS
    while (performance.now() < until_ms);
    happened.push('read')
  }
  let isOver = false
  const turns = (async () => {
    for (; !isOver; await nextTurn()) if (happened.at(-1) === 'told') happened.push('turn')
  })()
  await Promise.all([1, 2, 3].map(() => store.read(readLong).then(() => happened.push('told'))))
  isOver = true
  await turns
  assert.deepEqual(happened.slice(0, 8), ['read', 'told', 'turn', 'read', 'told', 'turn', 'read', 'told'])
})
