import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bodiesOf, parseGroup, piecesOf } from './group.ts'
import { KeyedPseudonyms } from './pseudonym.ts'

const LONG = { length: 16_384, fill: 1, owns: true }
const EMPTY = { length: 0, fill: 0, owns: false }

/** Short and long ones, with a buffer of their own and without, empty ones among them. */
const arbitraryBody = fc.record({
  length: fc.oneof(fc.nat(20), fc.integer({ min: 16_000, max: 17_000 })),
  fill: fc.nat(255),
  owns: fc.boolean(),
})

test('bodiesOf() gives the bodies that piecesOf() put together, in another thread as here', () => {
  fc.assert(
    fc.property(fc.array(arbitraryBody, { maxLength: 12 }), (drawn) => {
      // Made anew each time: their buffers move, and the same may be drawn twice.
      const bodies = drawn.map(({ length, fill, owns }) =>
        (owns ? new Uint8Array(length) : new Uint8Array(length + 8).subarray(4, -4)).fill(fill),
      )
      const texts = bodies.map((body) => Buffer.from(body).toString('hex'))
      const lengths = bodies.map(({ length }) => length)
      const pieces = piecesOf(bodies)
      const there = structuredClone(pieces, { transfer: pieces.map(({ buffer }) => buffer) })
      const found = bodiesOf({ pieces: there, lengths }).map((body) => Buffer.from(body).toString('hex'))
      assert.deepEqual(found, texts)
    }),
    { examples: [[[LONG, EMPTY, LONG]]] },
  )
})

test('parseGroup() reads every other body, however deep one is', () => {
  const good = JSON.stringify({
    field: 'marketing_message_reads',
    timestamp: 1_795_000_000_000,
    page_id: '9',
    message_id: '500',
    messenger_subscription_token: 'ann',
    marketing_message_tracking_id: 't',
  })
  const deep = (name: string, depth: number) =>
    good
      .replace(/\{/, `{"${name}":${'['.repeat(depth)}${']'.repeat(depth)},`)
      .replace(new RegExp(`,"${name}":"\\w+"`), '')
  for (const name of ['field', 'message_id', 'page_id', 'timestamp', 'messenger_subscription_token', 'error_message']) {
    for (const depth of [2000, 20_000, 1_000_000]) {
      const bodies = [deep(name, depth), good].map((text) => new Uint8Array(Buffer.from(text)))
      const group = { pieces: bodies, lengths: bodies.map(({ length }) => length), received_at: 1_795_000_000_000 }
      const { facts, unreadable } = parseGroup(group, new KeyedPseudonyms(new Uint8Array(32)))
      assert.deepEqual([facts.at(-1)?.tracking_id, unreadable[1]], ['t', null], `${name} of depth ${depth}`)
    }
  }
})
