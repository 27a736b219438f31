import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FactError, type FactRecord, parseFact } from './fact.ts'
import { KeyedPseudonyms } from './pseudonym.ts'

const pseudonyms = new KeyedPseudonyms(new Uint8Array(32))
const NOW_MS = Date.parse('2026-11-20T12:00:00Z')

const SENT: FactRecord = {
  kind: 'sent',
  timestamp: 1_700_000_000,
  message_id: '500',
  page_id: '9',
  messenger_subscription_token: 'ann',
  marketing_message_tracking_id: 't1',
}

const parse = (record: FactRecord) => parseFact(record, pseudonyms, NOW_MS)

test('parseFact() hashes what is personal and keeps the rest', () => {
  const { subscriber, ...fact } = parse({ ...SENT, price_micros: 14109, country: 'br' })
  assert.match(subscriber, /^[\w-]{16}$/)
  assert.deepEqual(fact, {
    kind: 'sent',
    at: 1_700_000_000_000,
    ad_id: '500',
    page_id: '9',
    tracking_id: 't1',
    mid: null,
    price_micros: 14109n,
    country: 'BR',
    btn_name: null,
    error_message: null,
  })
})

test('parseFact() takes every form that a value comes in', () => {
  const times = [1_700_000_000, 1_700_000_000_000, '1700000000', '2023-11-14T22:13:20Z', '2023-11-14T23:13:20+01:00']
  for (const timestamp of times) assert.equal(parse({ ...SENT, timestamp }).at, 1_700_000_000_000, String(timestamp))
  for (const mid of [undefined, null, 0, '', '0']) assert.equal(parse({ ...SENT, mid }).mid, null, String(mid))
  for (const id of [42, '42']) assert.equal(parse({ ...SENT, message_id: id }).ad_id, '42')
  assert.equal(parse({ ...SENT, page_id: '18446744073709551615' }).page_id, '18446744073709551615')
  assert.equal(parse({ ...SENT, price_micros: '1000000000000' }).price_micros, 10n ** 12n)
})

test('parseFact() leaves out what a click and a failure do not have', () => {
  const click = parse({ ...SENT, kind: 'clicked', mid: 'm_1', btn_name: 'Buy now' })
  assert.deepEqual([click.tracking_id, click.mid?.length, click.btn_name], [null, 8, 'Buy now'])
  const labelOf = (btn_name: string) => parse({ ...SENT, kind: 'clicked', btn_name }).btn_name
  assert.deepEqual([' Buy now\n', ' \t '].map(labelOf), ['Buy now', null])
  const failure = parse({ ...SENT, kind: 'failed', mid: 'm_1', error_message: 'away' })
  assert.deepEqual([failure.tracking_id, failure.mid, failure.error_message], [null, null, 'away'])
})

/** What is wrong with a record, and the words that say so. */
const WRONG: [record: FactRecord, reason: RegExp][] = [
  [{ kind: 'seen' }, /^kind is "seen": it must be one of sent, delivered, read, clicked, failed$/],
  [{ kind: undefined }, /^kind is missing/],
  [{ timestamp: 41412414141 }, /^timestamp is 41412414141: it must be a time between 2015 and a day from now/],
  [{ timestamp: '2014-12-31T23:59:59Z' }, /^timestamp is "2014/],
  [{ timestamp: NOW_MS + 86_400_001 }, /^timestamp is/],
  [{ timestamp: 'yesterday' }, /^timestamp is "yesterday"/],
  [{ timestamp: -1 }, /^timestamp is -1/],
  [{ message_id: 'abc' }, /^message_id is "abc": it must be an id of 1 to 20 digits, as text$/],
  [{ messenger_subscription_token: 2 ** 53 }, /^messenger_subscription_token is wrong/],
  [{ kind: 'clicked', mid: 2 ** 53 }, /^mid must be a text/],
  [{ message_id: 2 ** 53 }, /^message_id is 9007199254740992/],
  [{ page_id: '123456789012345678901' }, /^page_id is/],
  [{ page_id: { id: 1 } }, /^page_id is \{"id":1\}/],
  [{ messenger_subscription_token: '' }, /^messenger_subscription_token is missing: it must be a text/],
  [{ messenger_subscription_token: ['ann'] }, /^messenger_subscription_token is wrong: it must be a text of 1 to 512/],
  [{ marketing_message_tracking_id: '' }, /^marketing_message_tracking_id is ""/],
  [{ marketing_message_tracking_id: 'two words' }, /^marketing_message_tracking_id is "two words"/],
  [{ mid: { id: 1 } }, /^mid must be a text/],
  [{ price_micros: 1.5 }, /^price_micros is 1.5: it must be whole micros/],
  [{ price_micros: -1 }, /^price_micros is -1/],
  [{ price_micros: 1e12 + 1 }, /^price_micros is 1000000000001/],
  [{ kind: 'clicked', price_micros: 1 }, /^price_micros is 1: it must be on a sent, delivered or read fact/],
  [{ country: 'BRA' }, /^country is "BRA"/],
  [{ btn_name: 'Buy' }, /^btn_name is "Buy": it must be on a clicked fact/],
  [{ kind: 'clicked', btn_name: 7 }, /^btn_name is 7: it must be a text of at most 100 characters$/],
  [{ kind: 'clicked', btn_name: 'x'.repeat(101) }, /^btn_name is "xxx/],
]

test('parseFact() names what is wrong with a record', () => {
  for (const [change, reason] of WRONG) {
    assert.throws(
      () => parse({ ...SENT, ...change }),
      (error) => error instanceof FactError && reason.test(error.message),
      JSON.stringify(change),
    )
  }
})

test('KeyedPseudonyms gives another key other pseudonyms, and a token none of a mid', () => {
  const other = new KeyedPseudonyms(new Uint8Array(32).fill(1))
  assert.notEqual(pseudonyms.subscriber('ann'), other.subscriber('ann'))
  assert.ok(!pseudonyms.subscriber('ann').startsWith(pseudonyms.mid('ann')))
})

test('parseFact() makes texts that every engine gives back as they are', () => {
  const failed = { ...SENT, kind: 'failed', marketing_message_tracking_id: undefined }
  assert.equal(parse({ ...failed, error_message: 'a\0b\ud83d' }).error_message, 'a\ufffdb\ufffd')
  assert.equal(parse({ ...failed, error_message: `${'x'.repeat(499)}😀` }).error_message, `${'x'.repeat(499)}\ufffd`)
  const clicked = { ...failed, kind: 'clicked', btn_name: 'Buy\0' }
  assert.equal(parse(clicked).btn_name, 'Buy\ufffd')
})
