import assert from 'node:assert/strict'
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
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

test('a database in memory has nothing to sync', async () => {
  await using log = new LogSync(new LogFile(undefined))
  await log.synced()
})
