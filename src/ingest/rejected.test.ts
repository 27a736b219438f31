import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openEmptyStore } from '../../test/database.ts'
import { Admission } from '../store/admission.ts'
import { ID_LENGTH_MAX } from './fact.ts'
import { KeyedPseudonyms } from './pseudonym.ts'
import { retryRejected } from './rejected.ts'
import { parseWebhook } from './webhook.ts'

const NOW_MS = Date.parse('2026-11-20T12:00:00Z')
const DAY_MS = 86_400_000
const LONG = 'x'.repeat(ID_LENGTH_MAX + 1)

const READ = {
  field: 'marketing_message_reads',
  timestamp: NOW_MS,
  page_id: '9',
  message_id: '500',
  messenger_subscription_token: 'ann',
  marketing_message_tracking_id: 't1',
}

test('retryRejected() counts what our clock was behind of, and nothing that still is no fact', async () => {
  await using store = await openEmptyStore()
  const account = { account_id: '1', name: 'One', currency: 'USD', time_zone: 'UTC', page_ids: ['9'] }
  await store.write(({ registry }) => registry.addAccount(account))
  const changes = [
    { ...READ, timestamp: NOW_MS + 2 * DAY_MS },
    { ...READ, timestamp: NOW_MS + 1, messenger_subscription_token: LONG },
    { ...READ, timestamp: NOW_MS + 2, messenger_subscription_token: ['ann'] },
    { ...READ, timestamp: NOW_MS + 3, mid: LONG },
    { ...READ, timestamp: NOW_MS + 4, mid: { a: 1 } },
    { ...READ, timestamp: NOW_MS + 5, marketing_message_tracking_id: LONG },
    { ...READ, timestamp: NOW_MS + 6, page_id: LONG },
    { ...READ, timestamp: NOW_MS + 7, field: 'marketing_message_wishes' },
  ]
  const body = JSON.stringify({ object: 'page', entry: [{ id: 'x', changes }] })
  const { facts, rejected } = parseWebhook(body, new KeyedPseudonyms(new Uint8Array(32)), NOW_MS)
  assert.deepEqual([facts.length, rejected.length], [0, changes.length])
  await store.write(({ setAside }) => setAside.reject(rejected, NOW_MS))

  assert.deepEqual(await retryRejected(store, new Admission(), NOW_MS), { accepted: 0, rejected: 8 })
  assert.deepEqual(await retryRejected(store, new Admission(), NOW_MS + DAY_MS), { accepted: 1, rejected: 7 })
  const [thread, ...others] = await store.threads.scan({ account: 1, ad: 1 }, '', 10)
  assert.equal(thread?.facts.messages[0]?.read_at, NOW_MS + 2 * DAY_MS)
  assert.equal(others.length, 0)
})
