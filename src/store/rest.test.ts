import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { restBesideServer } from './rest.ts'
import { lockDatabase } from './sqlite/lock.ts'

const WORK_MS = 60

test('restBesideServer() rests as long as was worked while a server has the file, and not at all without one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'readout-'))
  const database = join(folder, 'readout.db')
  const rest = restBesideServer(database)
  const restedAfterWork = async () => {
    await setTimeout(WORK_MS)
    const since = performance.now()
    await rest()
    return performance.now() - since
  }
  try {
    await setTimeout(10 * WORK_MS)
    assert.ok((await restedAfterWork()) < WORK_MS / 2)
    using _served = lockDatabase(database, 'serve')
    const rested = await restedAfterWork()
    // Not for what was done before there was a server.
    assert.ok(rested > WORK_MS / 2 && rested < 5 * WORK_MS, `${rested} ms`)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
