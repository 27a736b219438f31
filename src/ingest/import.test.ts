import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openEmptyStore } from '../../test/database.ts'
import { Admission } from '../store/admission.ts'
import type { Store } from '../store/store.ts'
import { type Imported, importFacts } from './import.ts'
import { BATCH_BYTES, ImportError } from './import-file.ts'
import { ImportParser } from './import-parser.ts'

const LINES = 60_000

/** Long enough for several batches: every line is a message of its own. */
function factLine(i: number): string {
  return JSON.stringify({
    kind: 'delivered',
    timestamp: 1_700_000_000 + i,
    message_id: '500',
    page_id: '9',
    messenger_subscription_token: `subscriber ${i} ${'x'.repeat(100)}`,
    marketing_message_tracking_id: `${i}`,
  })
}

async function openWorld(): Promise<{ store: Store; file: string } & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), 'readout-'))
  const store = await openEmptyStore()
  const account = { account_id: '1', name: 'One', currency: 'USD', time_zone: 'UTC', page_ids: ['9'] }
  await store.write(({ registry }) => registry.addAccount(account))
  const file = join(folder, 'facts.ndjson')
  writeFileSync(file, Array.from({ length: LINES }, (_, i) => `${factLine(i)}\n`).join(''))
  return {
    store,
    file,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true })
    },
  }
}

async function run(store: Store, file: string, onProgress: () => void = () => {}): Promise<Imported> {
  await using parser = new ImportParser({ hash_key: new Uint8Array(32), batch_bytes: BATCH_BYTES })
  const { readBatches } = parser
  const now_ms = () => Date.parse('2026-11-20T12:00:00Z')
  const rest = async () => {}
  return await importFacts(file, {
    store,
    admission: new Admission(),
    readBatches,
    now_ms,
    rest,
    onBadLine: () => {},
    onProgress,
  })
}

async function delivered(store: Store): Promise<bigint | undefined> {
  const node = await store.registry.readNode('act_1')
  const days = { since: 0, until: 99_999 }
  const { sums } = await store.rollups.sumColumns(node ?? { account: 0, ads: [] }, days, ['delivered_c'])
  return sums[0]
}

const interrupt = () => {
  throw new Error('interrupted')
}

test('importFacts() goes on where it was interrupted, and repeats without counting twice', async () => {
  await using world = await openWorld()
  await assert.rejects(run(world.store, world.file, interrupt), /interrupted/)
  const part = await delivered(world.store)
  const resumed = await run(world.store, world.file)
  assert.ok(resumed.resumed_after_line > 0 && BigInt(resumed.resumed_after_line) === part)
  assert.equal(resumed.facts, LINES - resumed.resumed_after_line)
  const repeated = await run(world.store, world.file)
  assert.deepEqual([repeated.resumed_after_line, repeated.facts], [0, LINES])
  assert.equal(await delivered(world.store), BigInt(LINES))
})

test('importFacts() goes over a file again whose last line was being written when it was read to its end', async () => {
  await using world = await openWorld()
  const [one, other, third] = [1, 2, 3].map(factLine)
  writeFileSync(world.file, `${one}\n${other?.slice(0, 20)}`)
  await assert.rejects(run(world.store, world.file, interrupt), /interrupted/)
  writeFileSync(world.file, `${one}\n${other}\n${third}\n`)
  const { facts, bad_lines } = await run(world.store, world.file)
  assert.deepEqual([facts, bad_lines, await delivered(world.store)], [3, 0, 3n])
})

test('importFacts() starts from the first line when the file is another one by now', async () => {
  await using world = await openWorld()
  await assert.rejects(run(world.store, world.file, interrupt), /interrupted/)
  writeFileSync(world.file, readFileSync(world.file, 'utf8').replace('"500"', '"501"'))
  const restarted = await run(world.store, world.file)
  assert.deepEqual([restarted.resumed_after_line, restarted.facts], [0, LINES])
})

test('importFacts() refuses a file that is not made of lines', async () => {
  await using world = await openWorld()
  writeFileSync(world.file, 'x'.repeat(17_000_000))
  await assert.rejects(run(world.store, world.file), ImportError)
})

test('importFacts() takes short lines in batches, too, and counts those that are no facts', async () => {
  await using world = await openWorld()
  writeFileSync(world.file, `${'{}\n'.repeat(400_000)}${factLine(1)}`)
  let batches = 0
  const imported = await run(world.store, world.file, () => batches++)
  assert.deepEqual([imported.lines, imported.bad_lines, imported.facts], [400_001, 400_000, 1])
  assert.ok(batches > 2, `${batches} batches`)
})
