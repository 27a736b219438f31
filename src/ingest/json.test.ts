import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJson } from './json.ts'

test('parseJson() keeps every digit of an id and of a token', () => {
  const rows: [text: string, value: unknown][] = [
    ['{"message_id":24567890123456789}', { message_id: '24567890123456789' }],
    ['{"id" : 18446744073709551615 }', { id: '18446744073709551615' }],
    ['{"messenger_subscription_token":24567890123456789}', { messenger_subscription_token: '24567890123456789' }],
    ['{"mid":24567890123456789,"timestamp":1700000000000}', { mid: '24567890123456789', timestamp: 1_700_000_000_000 }],
    ['{"message_id":42}', { message_id: 42 }],
  ]
  for (const [text, value] of rows) assert.deepEqual(parseJson(text), value, text)
  assert.throws(() => parseJson('{'), SyntaxError)
})
