import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { TemporaryFolder } from '../../../test/temporary-folder.ts'

const ROUNDS = 4

/** Time for both to be started, and to wait for the moment at which they come. */
const START_MS = 600

/** Takes a lock at a moment, and keeps it for longer than others wait; prints whether it had it. */
const TAKER = `
  const [file, at_ms] = process.argv.slice(1)
  const { lockDatabase } = await import(${JSON.stringify(new URL('lock.ts', import.meta.url).href)})
  while (Date.now() < Number(at_ms));
  try {
    const lock = lockDatabase(file, 'serve')
    await new Promise((resolve) => setTimeout(resolve, 400))
    lock[Symbol.dispose]()
    process.stdout.write('taken')
  } catch (cause) {
    process.stdout.write(cause.message)
  }`

async function take(file: string, at_ms: number): Promise<string> {
  const taker = spawn(process.execPath, ['--input-type=module', '-e', TAKER, file, String(at_ms)])
  return text(taker.stdout)
}

test('of two who come at the same moment for one file, one has it', async () => {
  using folder = new TemporaryFolder()
  for (let round = 0; round < ROUNDS; round++) {
    const file = folder.file(`${round}.db`)
    const at_ms = performance.timeOrigin + performance.now() + START_MS
    const told = await Promise.all([take(file, at_ms), take(file, at_ms)])
    const [refused, taken] = told.sort()
    assert.equal(taken, 'taken', told.join())
    assert.match(refused ?? '', /another Readout has it open/)
  }
})
