import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FACT_KINDS, type Fact } from './fact.ts'
import { type Click, EMPTY_THREAD, merge, messageTime, type Thread, threadOf } from './thread.ts'

const NOTHING: Fact = {
  kind: 'sent',
  at: 0,
  ad_id: '1',
  page_id: '2',
  subscriber: 'ann',
  tracking_id: null,
  mid: null,
  price_micros: null,
  country: null,
  btn_name: null,
  error_message: null,
}

/** Few enough values that facts meet: the same message, the same millisecond, the same click. */
const arbitraryFact: fc.Arbitrary<Fact> = fc
  .record({
    kind: fc.constantFrom(...FACT_KINDS),
    at: fc.integer({ min: 1, max: 5 }),
    tracking_id: fc.constantFrom('t1', 't2'),
    mid: fc.constantFrom(null, 'm1', 'm2'),
    price_micros: fc.constantFrom(null, 0n, 1n),
    country: fc.constantFrom(null, 'BR', 'US'),
    btn_name: fc.constantFrom(null, 'Buy', 'Sell'),
    error_message: fc.constantFrom('away', 'blocked'),
  })
  .map((fact) => ({ ...NOTHING, ...fact }))

const arbitraryFacts = fc.array(arbitraryFact, { maxLength: 12 })

function threadOfAll(facts: readonly Fact[]): Thread {
  return facts.map(threadOf).reduce(merge, EMPTY_THREAD)
}

const arbitraryThread = arbitraryFacts.map(threadOfAll)

test('merge() is commutative, associative and idempotent', () => {
  fc.assert(
    fc.property(arbitraryThread, arbitraryThread, arbitraryThread, (a, b, c) => {
      assert.deepEqual(merge(a, b), merge(b, a))
      assert.deepEqual(merge(merge(a, b), c), merge(a, merge(b, c)))
      assert.equal(merge(a, a), a)
      assert.deepEqual(merge(EMPTY_THREAD, a), a)
    }),
    { numRuns: 1000 },
  )
})

test('merge() makes the same thread of the same facts in any order, however often they come', () => {
  const arbitraryHistory = arbitraryFacts.chain((facts) =>
    fc.record({
      facts: fc.constant(facts),
      shuffled: fc.shuffledSubarray(facts, { minLength: facts.length }),
      again: fc.subarray(facts),
    }),
  )
  fc.assert(
    fc.property(arbitraryHistory, ({ facts, shuffled, again }) => {
      assert.deepEqual(threadOfAll([...again, ...shuffled, ...again]), threadOfAll(facts))
    }),
  )
})

test('merge() returns its first thread itself when the second adds nothing', () => {
  fc.assert(
    fc.property(arbitraryFacts, fc.nat(), (facts, pick) => {
      const thread = threadOfAll(facts)
      const equal = threadOfAll(facts.toReversed())
      const [known = NOTHING] = facts.slice(pick % facts.length)
      assert.equal(merge(thread, EMPTY_THREAD), thread)
      assert.equal(merge(thread, equal), thread)
      if (facts.length > 0) assert.equal(merge(thread, threadOf(known)), thread)
    }),
  )
})

test('merge() keeps the earliest time of each kind', () => {
  const at = (kind: Fact['kind'], at: number): Fact => ({ ...NOTHING, kind, at, tracking_id: 't1' })
  const facts = [at('sent', 5), at('sent', 3), at('delivered', 9), at('read', 7), at('read', 8), at('delivered', 4)]
  const [message] = threadOfAll(facts).messages
  assert.deepEqual([message?.sent_at, message?.delivered_at, message?.read_at], [3, 4, 7])
})

test('merge() lets the latest observation of country and price stand, then the greater value', () => {
  const observed = (at: number, country: string | null, price_micros: bigint | null): Fact => {
    return { ...NOTHING, kind: 'delivered', tracking_id: 't1', at, country, price_micros }
  }
  const rows: [facts: Fact[], country: string | undefined, price_micros: bigint | undefined][] = [
    [[observed(1, null, null)], undefined, undefined],
    [[observed(1, 'US', 9n), observed(2, 'BR', 5n)], 'BR', 5n],
    [[observed(2, 'BR', 5n), observed(1, 'US', 9n)], 'BR', 5n],
    [[observed(2, 'BR', 5n), observed(2, 'US', 9n)], 'US', 9n],
    [[observed(1, 'US', 0n), observed(2, null, null)], 'US', 0n],
  ]
  for (const [facts, country, price_micros] of rows) {
    const thread = threadOfAll(facts)
    assert.equal(thread.country?.value, country)
    assert.equal(thread.messages[0]?.price_micros?.value, price_micros)
  }
})

test('merge() tells clicks apart by millisecond and mid, where a click without mid is the one with it', () => {
  const rows: [clicks: Click[], distinct: Click[]][] = [
    [[click(1, null), click(1, null)], [click(1, null)]],
    [
      [click(1, null), click(2, null)],
      [click(1, null), click(2, null)],
    ],
    [[click(1, null), click(1, 'm1')], [click(1, 'm1')]],
    [[click(1, 'm1'), click(1, null)], [click(1, 'm1')]],
    [
      [click(1, 'm2'), click(1, null), click(1, 'm1')],
      [click(1, 'm1'), click(1, 'm2')],
    ],
    [
      [click(1, 'm1'), click(2, 'm1'), click(2, null)],
      [click(1, 'm1'), click(2, 'm1')],
    ],
    [[click(1, 'm1'), click(1, 'm1', 'Buy')], [click(1, 'm1', 'Buy')]],
    [[click(1, null, 'Buy'), click(1, 'm1')], [click(1, 'm1', 'Buy')]],
    [
      [click(1, 'm1', 'Sell'), click(1, 'm2'), click(1, null, 'Buy'), click(2, 'm2')],
      [click(1, 'm1', 'Sell'), click(1, 'm2', 'Sell'), click(2, 'm2')],
    ],
  ]
  for (const [clicks, distinct] of rows) {
    const thread = threadOfAll(clicks.map((click) => ({ ...NOTHING, ...click, kind: 'clicked' })))
    assert.deepEqual(thread.clicks, distinct)
  }
})

function click(at: number, mid: string | null, btn_name: string | null = null): Click {
  return { at, mid, btn_name }
}

test('merge() tells failures apart by millisecond and reason', () => {
  const failed = (at: number, error_message: string): Fact => ({ ...NOTHING, kind: 'failed', at, error_message })
  const thread = threadOfAll([failed(2, 'away'), failed(1, 'away'), failed(2, 'away'), failed(2, 'blocked')])
  assert.deepEqual(
    thread.failures.map(({ at, error_message }) => `${at} ${error_message}`),
    ['1 away', '2 away', '2 blocked'],
  )
})

test('messageTime() is the earliest known time', () => {
  const message = { tracking_id: 't1', mid: null, price_micros: null }
  const rows: [sent_at: number | null, delivered_at: number | null, read_at: number | null, time: number][] = [
    [1, 2, 3, 1],
    [3, 2, 1, 1],
    [null, 2, 3, 2],
    [null, null, 3, 3],
  ]
  for (const [sent_at, delivered_at, read_at, time] of rows) {
    assert.equal(messageTime({ ...message, sent_at, delivered_at, read_at }), time)
  }
})
