import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FACT_AT_MIN_MS, FACT_KINDS, type Fact } from '../domain/fact.ts'
import { PRICE_MICROS_MAX } from '../domain/money.ts'
import { buffersOf, packFacts, UnpackedFacts } from './packed-facts.ts'

const text = fc.string({ minLength: 1, maxLength: 40 })
const words = fc.constantFrom('1', '22', '333', 'ann')

/** Any fact, of a world in which much is the same: columns of few texts are about that. */
const fact: fc.Arbitrary<Fact> = fc.record(
  {
    kind: fc.constantFrom(...FACT_KINDS),
    at: fc.integer({ min: FACT_AT_MIN_MS, max: FACT_AT_MIN_MS * 2 }),
    ad_id: words,
    page_id: words,
    subscriber: fc.oneof(words, text),
    tracking_id: fc.option(fc.oneof(words, text)),
    mid: fc.option(text),
    price_micros: fc.option(fc.bigInt({ min: 0n, max: PRICE_MICROS_MAX })),
    country: fc.option(fc.constantFrom('DE', 'BR')),
    btn_name: fc.option(fc.oneof(fc.constant(''), fc.string({ unit: 'grapheme' }))),
    error_message: fc.option(fc.oneof(fc.constant(''), fc.string({ unit: 'grapheme' }))),
  },
  { noNullPrototype: true },
)

/** A fact as a value, whatever it reads its fields from. */
function fieldsOf(fact: Fact): Fact {
  const { kind, at, ad_id, page_id, subscriber, tracking_id, mid, price_micros, country, btn_name, error_message } =
    fact
  return { kind, at, ad_id, page_id, subscriber, tracking_id, mid, price_micros, country, btn_name, error_message }
}

test('UnpackedFacts.at() gives the facts that were packed, in another thread as here', () => {
  fc.assert(
    fc.property(fc.array(fact, { maxLength: 30 }), (facts) => {
      const packed = packFacts(facts)
      const there = structuredClone(packed, { transfer: buffersOf(packed) })
      const unpacked = new UnpackedFacts(there)
      assert.deepEqual(
        Array.from({ length: unpacked.length }, (_, place) => fieldsOf(unpacked.at(place))),
        facts,
      )
      assert.ok(
        buffersOf(packed).every(({ detached }) => detached),
        'every buffer moves, and none is copied',
      )
    }),
  )
})
