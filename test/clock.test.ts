import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retryRejected } from '../src/ingest/rejected.ts'
import { Admission } from '../src/store/admission.ts'
import { verify } from '../src/store/verify.ts'
import { envelope, ms, NOW, TestServer } from './open.ts'

const PAGE = '9'

function read(person: string, at: number): unknown {
  return envelope(PAGE, {
    field: 'marketing_message_reads',
    timestamp: at,
    page_id: PAGE,
    message_id: '500',
    messenger_subscription_token: person,
    marketing_message_tracking_id: 't1',
  })
}

async function openAccount(config = {}): Promise<TestServer> {
  const server = await TestServer.open(config)
  await server.addAccount('1', { page_ids: [PAGE] })
  return server
}

async function delivered(server: TestServer, preset: string): Promise<string | undefined> {
  return (await server.row('500', `date_preset=${preset}`, '1'))?.marketing_messages_delivered
}

async function assertClean({ store }: TestServer): Promise<void> {
  let discrepancies = 0
  await store.read((tables) => verify(tables, () => discrepancies++))
  assert.equal(discrepancies, 0)
}

test('a clock that jumps back sets aside what it takes for the future, and nothing is lost or counted twice', async () => {
  await using server = await openAccount()
  const at = NOW.epochMilliseconds
  assert.equal((await server.post(read('ann', at))).status, 200)
  server.now = NOW.subtract({ hours: 24 * 365 })
  for (const person of ['ann', 'bob']) assert.equal((await server.post(read(person, at))).status, 200)
  assert.equal(await delivered(server, 'today'), undefined)
  assert.equal(await server.metric('readout_changes_rejected_total'), 2)
  server.now = NOW
  assert.equal(await delivered(server, 'today'), '1')
  assert.deepEqual(await retryRejected(server.store, new Admission(), at), { accepted: 2, rejected: 0 })
  await server.post(read('bob', at))
  assert.equal(await delivered(server, 'today'), '2')
  await assertClean(server)
})

test('a clock that jumps back an hour changes nothing: a fact has its own time', async () => {
  await using server = await openAccount()
  const at = ms('2026-11-20T11:59:00Z')
  await server.post(read('ann', at))
  server.now = NOW.subtract({ hours: 1 })
  for (const person of ['ann', 'bob']) assert.equal((await server.post(read(person, at))).status, 200)
  assert.equal(await delivered(server, 'today'), '2')
  await assertClean(server)
})

test('a clock that jumps far ahead counts facts on their own days, and all is well when it is right again', async () => {
  await using server = await openAccount({ request_limit: 9 })
  const at = NOW.epochMilliseconds
  server.now = NOW.add({ hours: 24 * 3650 })
  assert.equal((await server.post(read('ann', at))).status, 200)
  assert.equal(await delivered(server, 'maximum'), '1')
  assert.equal(await delivered(server, 'today'), undefined)
  for (let calls = 2; calls < 9; calls++) await delivered(server, 'maximum')
  await assert.rejects(delivered(server, 'maximum'), /request limit reached/)
  server.now = NOW
  assert.equal(await delivered(server, 'today'), '1')
  await server.post(read('ann', at))
  assert.equal(await delivered(server, 'today'), '1')
  await assertClean(server)
})
