import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InFlight } from './in-flight.ts'

test('InFlight lets go who has held the longest, until the rest is within the limit, and never one who is alone', () => {
  const gone: string[] = []
  const bytes = new InFlight<string>(10, (holder) => gone.push(holder))
  bytes.hold('a', 4)
  bytes.hold('b', 4)
  bytes.hold('a', 2)
  assert.deepEqual(gone, [])
  bytes.hold('c', 5)
  assert.deepEqual(gone, ['a'])
  bytes.release('b')
  bytes.hold('d', 5)
  assert.deepEqual(gone, ['a'])
  bytes.hold('e', 100)
  assert.deepEqual(gone, ['a', 'c', 'd'])
  bytes.hold('e', 100)
  assert.deepEqual(gone, ['a', 'c', 'd'])
})
