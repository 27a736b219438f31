import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { formatSignature } from '../src/ingest/signature.ts'
import { openSqliteStore } from '../src/store/sqlite/store.ts'
import { Serving } from './command.ts'
import { APP_SECRET, HASH_KEY } from './open.ts'
import { readSystemCalls, type SystemCall, startTraced, whyUntraceable } from './system-calls.ts'
import { TemporaryFolder } from './temporary-folder.ts'

const ALONE = 20
const CONNECTIONS = 6
const ON_EACH = 8

/** A frame of SQLite's log is a header of so many bytes, and then a page. */
const FRAME_HEADER_BYTES = 24

const skip = whyUntraceable()

test('a webhook is answered 200 only after the log that holds its fact was synced', { skip }, async () => {
  using folder = new TemporaryFolder()
  const database = folder.file('readout.db')
  await register(database)
  const trace = folder.file('trace')
  const hash_key = Buffer.from(HASH_KEY).toString('hex')
  const settings = ['--database', database, '--hash-key', hash_key, '--app-secret', APP_SECRET, '--log-level', 'silent']
  const child = startTraced(trace, ['serve', '--port', '0', ...settings])
  const ids: string[] = []
  {
    await using server = await Serving.greeted(child)
    for (let i = 0; i < ALONE; i++) ids.push(await post(server.url))
    const connections = Array.from({ length: CONNECTIONS }, async () => {
      for (let i = 0; i < ON_EACH; i++) ids.push(await post(server.url))
    })
    await Promise.all(connections)
  }
  const calls = await readSystemCalls(trace, child.pid)
  for (const id of ids) assertSyncedFirst(calls, id)
})

/** Follows one webhook through the system calls: read, written, committed, synced, answered. */
function assertSyncedFirst(calls: readonly SystemCall[], id: string): void {
  const onLog = calls.filter(({ target }) => target.endsWith('.db-wal'))
  const read = calls.find(({ name, bytes }) => name === 'read' && bytes.includes(id))
  const answer = calls.find(
    ({ name, target, begun }) => /^writev?$/.test(name) && target === read?.target && begun > read.ended,
  )
  assert.ok(answer?.bytes.includes('HTTP/1.1 200') === true, `no 200 for ${id}`)
  const page = onLog.findIndex(({ name, bytes }) => name === 'pwrite64' && bytes.includes(id))
  assert.ok(page >= 0, `the fact of ${id} was never written to the log`)
  const commit = onLog.findIndex((call, i) => i >= page - 1 && isCommit(call))
  // The header of the last frame, and its page.
  const last = onLog[commit + 1]
  assert.ok(commit >= 0 && last !== undefined, `the transaction of ${id} was never committed`)
  const sync = onLog.find(({ name, result, begun }) => /sync$/.test(name) && result === 0 && begun > last.ended)
  assert.ok(sync !== undefined && sync.ended < answer.begun, `${id} was answered 200 before its log was synced`)
}

/** The header of a transaction's last frame tells how many pages the database has; that of any other frame 0. */
function isCommit({ name, bytes }: SystemCall): boolean {
  return name === 'pwrite64' && bytes.length === FRAME_HEADER_BYTES && bytes.readUInt32BE(4) > 0
}

async function register(database: string): Promise<void> {
  await using store = openSqliteStore(database)
  const fields = { account_id: '1', name: 'one', currency: 'USD', time_zone: 'UTC', page_ids: ['9'] }
  await store.write(({ registry }) => registry.addAccount(fields))
}

/** Posts a message of a new tracking id, which it returns. */
async function post(url: string): Promise<string> {
  // The bytes of a UUID would be stored; this one is seen as it was sent.
  const marketing_message_tracking_id = `sent-${randomUUID()}`
  const value = {
    marketing_message_tracking_id,
    page_id: '9',
    message_id: '500',
    timestamp: Date.now(),
    messenger_subscription_token: randomUUID(),
  }
  const changes = [{ field: 'marketing_message_deliveries', value }]
  const body = Buffer.from(JSON.stringify({ object: 'page', entry: [{ id: '9', changes }] }))
  const headers = { 'x-hub-signature-256': formatSignature(body, APP_SECRET) }
  const response = await fetch(`${url}/webhooks/messenger`, { method: 'POST', headers, body })
  assert.equal(response.status, 200)
  await response.arrayBuffer()
  return marketing_message_tracking_id
}
