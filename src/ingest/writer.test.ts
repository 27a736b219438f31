import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDatabase } from '../../test/database.ts'
import { openStore } from '../store/open.ts'
import type { IntakeCounts } from './intake.ts'
import { BEHIND_ANSWERS } from './thread-priority.ts'
import { QUEUE_BODIES_MAX, QUEUE_BYTES_MAX, Writer, writerWorkers } from './writer.ts'

const NOW_MS = Date.parse('2026-11-20T12:00:00Z')

async function openWriter(counts: IntakeCounts[]): Promise<{ writer: Writer; database: string } & AsyncDisposable> {
  const own = await openDatabase()
  const database = own.name
  {
    await using store = await openStore(database)
    const account = { account_id: '1', name: 'One', currency: 'USD', time_zone: 'UTC', page_ids: ['9'] }
    await store.write(({ registry }) => registry.addAccount(account))
  }
  const hash_key = new Uint8Array(32)
  const clock = { now_ms: () => NOW_MS, after: (ms: number, act: () => void) => setTimeout(act, ms) }
  const writer = new Writer(writerWorkers({ database, hash_key, started_at: NOW_MS }), clock, {
    onTaken: (taken) => counts.push(taken),
    onFailure: (reason) => assert.fail(reason),
    onNotCaughtUp: (reason) => assert.fail(reason),
    onDeath: (cause) => assert.fail(cause),
  })
  return {
    writer,
    database,
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]()
      await own[Symbol.asyncDispose]()
    },
  }
}

function body(tracking_id: number, padding = 0): Uint8Array {
  const read = {
    field: 'marketing_message_reads',
    timestamp: NOW_MS,
    page_id: '9',
    message_id: '500',
    messenger_subscription_token: 'ann',
    marketing_message_tracking_id: String(tracking_id),
    padding: ' '.repeat(padding),
  }
  return Buffer.from(JSON.stringify(read))
}

test('Writer.submit() commits what comes together in few groups, each body with its own receipt', async () => {
  const counts: IntakeCounts[] = []
  await using world = await openWriter(counts)
  const bodies = [...Array.from({ length: 500 }, (_, i) => body(i)), Buffer.from('no JSON')]
  const receipts = await Promise.all(bodies.map((one) => world.writer.submit(one)))
  assert.ok(receipts.slice(0, 500).every(({ kind }) => kind === 'committed'))
  assert.equal(receipts[500]?.kind, 'unreadable')
  assert.ok(counts.length < 10, `${counts.length} groups`)
  await using store = await openStore(world.database)
  const [thread] = await store.threads.scan({ account: 1, ad: 1 }, '', 1)
  assert.equal(thread?.facts.messages.length, 500)
})

test('Writer.submit() sends the surplus away when the queue is full, and commits the rest', async () => {
  const counts: IntakeCounts[] = []
  await using world = await openWriter(counts)
  const megabyte = 1_048_576
  const bodies = Array.from({ length: (2 * QUEUE_BYTES_MAX) / megabyte }, (_, i) => body(i, megabyte))
  const receipts = await Promise.all(bodies.map((one) => world.writer.submit(one)))
  const committed = receipts.filter(({ kind }) => kind === 'committed').length
  const behind = receipts.filter(({ kind }) => kind === 'behind').length
  assert.ok(committed > 0 && behind > 0 && committed + behind === bodies.length, `${committed} ${behind}`)
  assert.equal(
    counts.reduce((sum, { merged }) => sum + merged, 0),
    committed,
  )

  const small = await Promise.all(
    Array.from({ length: QUEUE_BODIES_MAX + 100 }, (_, i) => world.writer.submit(body(i))),
  )
  assert.ok(small.some(({ kind }) => kind === 'behind'))
  assert.equal(world.writer.depth, 0)
  assert.equal((await world.writer.submit(body(1))).kind, 'committed')
})

test('Writer commits what was submitted before it closes', async () => {
  const counts: IntakeCounts[] = []
  const world = await openWriter(counts)
  const submitted = world.writer.submit(body(1))
  await world[Symbol.asyncDispose]()
  assert.equal((await submitted).kind, 'committed')
})

test('the threads of the writer run behind the one that answers', { skip: process.platform !== 'linux' }, async () => {
  await using world = await openWriter([])
  assert.equal((await world.writer.submit(body(1))).kind, 'committed')
  const tasks = '/proc/self/task'
  const niceOf = (task: string) =>
    Number(
      readFileSync(join(tasks, task, 'stat'), 'utf8')
        .split(') ')[1]
        ?.split(' ')[16],
    )
  const priorities = readdirSync(tasks).map(niceOf)
  const own = getPriority()
  assert.equal(priorities.filter((nice) => nice === own + BEHIND_ANSWERS).length, 2)
  assert.equal(niceOf(String(process.pid)), own)
})
