import assert from 'node:assert/strict'
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { TemporaryFolder } from '../../../test/temporary-folder.ts'
import { LogFile, LogSync } from './log-sync.ts'

test('synced() resolves in the order of the calls', async () => {
  using folder = new TemporaryFolder()
  const database = folder.file('readout.db')
  writeFileSync(`${database}-wal`, 'frames')
  await using log = new LogSync(new LogFile(database))
  const told: number[] = []
  await Promise.all([1, 2, 3, 4].map((call) => log.synced().then(() => told.push(call))))
  assert.deepEqual(told, [1, 2, 3, 4])
})

test('synced() rejects for good once a sync has failed', async () => {
  using folder = new TemporaryFolder()
  const database = folder.file('readout.db')
  mkdirSync(`${database}-wal`)
  await using log = new LogSync(new LogFile(database))
  await assert.rejects(log.synced(), { code: 'EISDIR' })
  rmdirSync(`${database}-wal`)
  writeFileSync(`${database}-wal`, 'frames')
  await assert.rejects(log.synced(), { code: 'EISDIR' })
})

test('synced() rejects where a later sync failed before an earlier one was told of', async () => {
  const earlier = Promise.withResolvers<void>()
  const later = Promise.withResolvers<void>()
  const syncs = [earlier.promise, later.promise]
  const sync = () => syncs.shift() ?? Promise.resolve()
  await using log = new LogSync({ sync, [Symbol.asyncDispose]: async () => undefined })
  const told = Promise.allSettled([log.synced(), log.synced(), log.synced()])
  later.reject(new Error('the disk fails'))
  await setImmediate()
  earlier.resolve()
  assert.deepEqual(
    (await told).map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  )
})

test('a database in memory has nothing to sync', async () => {
  await using log = new LogSync(new LogFile(undefined))
  await log.synced()
})
