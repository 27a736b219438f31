import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openEmptyStore } from '../../test/database.ts'
import { openDatabase } from '../store/sqlite/database.ts'
import { sqliteStoreOn } from '../store/sqlite/store.ts'
import { Committer } from './committer.ts'
import { parseGroup } from './group.ts'
import { KeyedPseudonyms } from './pseudonym.ts'

const NOW_MS = Date.parse('2026-11-20T12:00:00Z')

test('Committer.take() tells of groups in their order, though a later one fails while an earlier one is synced', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'readout-'))
  const file = join(folder, 'readout.db')
  const disk = Promise.withResolvers<void>()
  {
    await using store = sqliteStoreOn(openDatabase(file, { busy_ms_max: 0 }), {
      sync: () => disk.promise,
      [Symbol.asyncDispose]: async () => {},
    })
    using other = openDatabase(file, { busy_ms_max: 0 })
    const committer = new Committer(store, NOW_MS)
    const told: string[] = []
    const take = (tracking_id: string) => committer.take(groupOf(tracking_id)).then(({ kind }) => told.push(kind))

    const first = take('1')
    await store.read(async ({ setAside }) =>
      assert.equal((await setAside.listParked()).length, 1, 'the first is committed'),
    )
    other.exec('BEGIN IMMEDIATE')
    const second = take('2')
    await store.read(async () => undefined)
    // By now the second has failed, and the first is not synced.
    disk.resolve()
    await Promise.all([first, second])
    assert.deepEqual(told, ['taken', 'failed'])
  }
  rmSync(folder, { recursive: true })
})

test('Committer.catchUp() takes one step at a time, however often it is called', async () => {
  await using store = await openEmptyStore()
  await store.write(({ registry }) =>
    registry.addAccount({ account_id: '1', name: 'One', currency: 'USD', time_zone: 'UTC', page_ids: ['9'] }),
  )
  const committer = new Committer(store, NOW_MS)
  await committer.take(groupOf('1'))
  await store.write(({ registry }) =>
    registry.setAccount('1', { time_zone: 'Asia/Tokyo', link_page_ids: [], unlink_page_ids: [] }),
  )
  const turns = [0, 0]
  await Promise.all(turns.map((_, i) => committer.catchUp(async () => (turns[i] as number)++)))
  assert.ok((turns[0] as number) > 0)
  assert.equal(turns[1], 0)
  // A later act is caught up with as well.
  await store.write(({ registry }) =>
    registry.setAccount('1', { time_zone: 'UTC', link_page_ids: [], unlink_page_ids: [] }),
  )
  await committer.catchUp(async () => (turns[1] as number)++)
  assert.ok((turns[1] as number) > 0)
})

function groupOf(tracking_id: string) {
  const bytes = Buffer.from(
    JSON.stringify({
      field: 'marketing_message_reads',
      timestamp: NOW_MS,
      page_id: '9',
      message_id: '500',
      messenger_subscription_token: 'ann',
      marketing_message_tracking_id: tracking_id,
    }),
  )
  const group = { pieces: [new Uint8Array(bytes)], lengths: [bytes.length], received_at: NOW_MS }
  return parseGroup(group, new KeyedPseudonyms(new Uint8Array(32)))
}
