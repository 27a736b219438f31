import assert from 'node:assert/strict'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PHASES, runCrashLoop } from './crash/crash-loop.ts'
import { fileCrashes } from './crash/file.ts'

test('a server that is killed in each of its phases has every fact that it answered 200 for, once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'readout-crash-'))
  const { facts, webhooks_cut_off } = await runCrashLoop(PHASES.length, Date.now() % 1_000_000, fileCrashes(folder))
  rmdirSync(folder)
  assert.ok(facts > 0 && webhooks_cut_off > 0, 'the server was killed while nothing came in')
})
