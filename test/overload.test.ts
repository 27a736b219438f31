import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { RETRY_AFTER_S } from '../src/ingest/door.ts'
import { GROUP_BYTES_MAX, GROUPS_IN_FLIGHT_MAX, QUEUE_BYTES_MAX } from '../src/ingest/writer.ts'
import { holdWriting } from './database.ts'
import { envelope, NOW, TestServer } from './open.ts'

const BODY_BYTES = 2 * 1_048_576
const FACTS = 20
/** As many as wait, and as many as the writer has in hand at most. */
const WAITING = Math.floor(QUEUE_BYTES_MAX / BODY_BYTES)
const TAKEN_MAX = WAITING + GROUPS_IN_FLIGHT_MAX * Math.floor(GROUP_BYTES_MAX / BODY_BYTES)
const WEBHOOKS = 2 * TAKEN_MAX

/** A webhook of messages that no other tells of; the spaces are JSON, and fill the queue. */
function webhook(i: number): string {
  const values = Array.from({ length: FACTS }, (_, j) => ({
    field: 'marketing_message_echoes',
    page_id: '9',
    message_id: '500',
    timestamp: NOW.epochMilliseconds,
    messenger_subscription_token: `${i}`,
    marketing_message_tracking_id: `${i}-${j}`,
  }))
  return JSON.stringify(envelope('9', ...values)).padEnd(BODY_BYTES)
}

test('a server whose writer is behind refuses the surplus, answers meanwhile, and has every fact once after the retries', {
  timeout: 60_000,
}, async () => {
  await using server = await TestServer.open()
  await server.addAccount('1', { page_ids: ['9'] })
  await server.addCampaign('500', '1')
  await using holding = await holdWriting(server.database)
  const webhooks = Array.from({ length: WEBHOOKS }, (_, i) => webhook(i))
  const refused: string[] = []
  let accepted = 0
  const posting = webhooks.map(async (body) => {
    const { status, headers } = await server.post(body)
    if (status === 200) accepted++
    else {
      assert.deepEqual([status, headers.get('retry-after')], [503, String(RETRY_AFTER_S)])
      refused.push(body)
    }
  })
  // The surplus knows at once; those that are taken wait for the writer, which waits for its turn.
  const all = Promise.all(posting)
  while (refused.length + (await server.metric('readout_queue_bodies')) < WEBHOOKS)
    await Promise.race([setTimeout(10), all])
  const taken = WEBHOOKS - refused.length
  assert.ok(taken >= WAITING && taken <= TAKEN_MAX, `${taken} were taken`)
  const query = 'fields=marketing_messages_sent&date_preset=today'
  assert.equal(await server.row('500', query, '1'), undefined)
  assert.equal(accepted, 0)
  await holding.release()
  await all
  assert.equal(accepted, taken)
  for (const body of refused) assert.equal((await server.post(body)).status, 200)
  // Meta sends again what it is not sure of.
  assert.equal((await server.post(webhooks[0])).status, 200)
  assert.equal((await server.row('500', query, '1'))?.marketing_messages_sent, String(WEBHOOKS * FACTS))
})
