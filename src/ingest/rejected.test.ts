import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openEmptyStore } from '../../test/database.ts'
import { Admission } from '../store/admission.ts'
import { FactError, ID_LENGTH_MAX } from './fact.ts'
import { KeyedPseudonyms } from './pseudonym.ts'
import { retryRejected } from './rejected.ts'
import { parseRejected, parseWebhook } from './webhook.ts'

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

/** What a change may have, beside what makes it one. */
const ODDITIES = {
  messenger_subscription_token: ['ann', 12_345, '', null, ['ann'], 'x\ufffd', LONG, 2 ** 60, true],
  mid: [undefined, 'm1', 12_345, 0, '0', '', null, LONG, { a: 1 }, false],
  error_message: [undefined, null, 'away', 'r'.repeat(600), '', 7],
  marketing_message_tracking_id: ['t1', 12_345, LONG, null],
  field: ['marketing_message_reads', 'marketing_message_delivery_failed', undefined, 'wishes'],
} as const

test('a rejected change, read again, is what the change itself would be', () => {
  const pseudonyms = new KeyedPseudonyms(new Uint8Array(32))
  const early_ms = NOW_MS - 3 * DAY_MS
  const oddity = fc.record(
    Object.fromEntries(Object.entries(ODDITIES).map(([key, values]) => [key, fc.constantFrom(...values)])),
  )
  fc.assert(
    fc.property(oddity, (odd) => {
      const body = JSON.stringify({ entry: [{ changes: [{ ...READ, ...odd }] }] })
      const [rejected] = parseWebhook(body, pseudonyms, early_ms).rejected
      assert.ok(rejected !== undefined, 'its time is not yet')
      const [fact] = parseWebhook(body, pseudonyms, NOW_MS).facts
      if (fact === undefined) assert.throws(() => parseRejected(rejected.change, NOW_MS), FactError)
      else assert.deepEqual(parseRejected(rejected.change, NOW_MS), fact)
    }),
    { numRuns: 2000 },
  )
})

test('retryRejected() looks at every rejected change, batch after batch', async () => {
  await using store = await openEmptyStore()
  const account = { account_id: '1', name: 'One', currency: 'USD', time_zone: 'UTC', page_ids: ['9'] }
  await store.write(({ registry }) => registry.addAccount(account))
  const changes = Array.from({ length: 2001 }, (_, i) => ({
    ...READ,
    timestamp: NOW_MS + 2 * DAY_MS,
    marketing_message_tracking_id: `t${i}`,
  }))
  const body = JSON.stringify({ entry: [{ changes }] })
  const { rejected } = parseWebhook(body, new KeyedPseudonyms(new Uint8Array(32)), NOW_MS)
  await store.write(({ setAside }) => setAside.reject(rejected, NOW_MS))
  const retried = await retryRejected(store, new Admission(), NOW_MS + DAY_MS)
  assert.deepEqual(retried, { accepted: changes.length, rejected: 0 })
})

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
