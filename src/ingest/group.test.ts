import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bodiesOf, piecesOf } from './group.ts'

/** Short and long ones, with a buffer of their own and without, empty ones among them. */
const arbitraryBody = fc
  .tuple(fc.oneof(fc.nat(20), fc.integer({ min: 16_000, max: 17_000 })), fc.nat(255), fc.boolean())
  .map(([length, fill, owns]) =>
    (owns ? new Uint8Array(length) : new Uint8Array(length + 8).subarray(4, -4)).fill(fill),
  )

test('bodiesOf() gives the bodies that piecesOf() put together, in another thread as here', () => {
  fc.assert(
    fc.property(fc.array(arbitraryBody, { maxLength: 12 }), (bodies) => {
      const texts = bodies.map((body) => Buffer.from(body).toString('hex'))
      const lengths = bodies.map(({ length }) => length)
      const pieces = piecesOf(bodies)
      const there = structuredClone(pieces, { transfer: pieces.map(({ buffer }) => buffer) })
      const found = bodiesOf({ pieces: there, lengths }).map((body) => Buffer.from(body).toString('hex'))
      assert.deepEqual(found, texts)
    }),
  )
})
