import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calendarOf } from '../domain/calendar.ts'
import type { Fact } from '../domain/fact.ts'
import { RateCard } from '../domain/rate-card.ts'
import { resolve } from '../domain/resolution.ts'
import { merge, mergeAll, type Thread, threadOf } from '../domain/thread.ts'
import { changedClicks, changedMessages, goneClicks } from './thread-rows.ts'

const CONTEXT = { calendar: calendarOf('UTC'), rateCard: new RateCard([]) }

function click(at: number, differing: Partial<Fact> = {}): Fact {
  const nothing = { tracking_id: null, price_micros: null, country: null, btn_name: null, error_message: null }
  return { kind: 'clicked', at, ad_id: '11', page_id: '9', subscriber: 'ann', mid: null, ...nothing, ...differing }
}

function change(before: readonly Fact[], after: readonly Fact[]) {
  const [stored, facts] = [mergeAll(before.map(threadOf)), mergeAll([...before, ...after].map(threadOf))]
  const resolved = (thread: Thread) => resolve(thread, { ...CONTEXT, listed_country: null })
  const key = { account: 1, ad: 11, subscriber: 'ann', listed_country: null }
  return { before: { ...key, facts: stored, resolution: resolved(stored) }, facts, resolution: resolved(facts) }
}

test('of many clicks those are written that differ', () => {
  const many = Array.from({ length: 1000 }, (_, i) => click(1000 * i))
  const rows: [claim: string, after: Fact[], written: number[], gone: number[]][] = [
    ['one more', [click(5500)], [5500], []],
    ['one that is there', [click(5000)], [], []],
    ['one that is now known by its mid', [click(5000, { mid: 'm' })], [5000], [5000]],
    ['one whose button is now known', [click(5000, { btn_name: 'Buy' })], [5000], []],
    ['a country, which is everywhere', [click(5500, { country: 'BR' })], many.map(({ at }) => at).concat(5500), []],
  ]
  for (const [claim, after, written, gone] of rows) {
    const changed = change(many, after)
    const times = (found: readonly (readonly unknown[])[]) => found.map((row) => Number(row[2])).sort((a, b) => a - b)
    assert.deepEqual(
      times(changedClicks(changed)),
      written.toSorted((a, b) => a - b),
      claim,
    )
    assert.deepEqual(times(goneClicks(changed)), gone, claim)
  }
})

test('every message is written again when a fact names the country, though the list had the same', () => {
  const sent = (tracking_id: string, country: string | null): Fact => ({
    ...click(1000, { country }),
    kind: 'sent',
    tracking_id,
  })
  const resolved = (thread: Thread) => resolve(thread, { ...CONTEXT, listed_country: 'BR' })
  const stored = threadOf(sent('a', null))
  const facts = merge(stored, threadOf(sent('b', 'BR')))
  const before = {
    account: 1,
    ad: 11,
    subscriber: 'ann',
    listed_country: 'BR',
    facts: stored,
    resolution: resolved(stored),
  }
  const rows = changedMessages({ before, facts, resolution: resolved(facts) })
  assert.deepEqual(
    rows.map((row) => row[2]),
    ['a', 'b'],
  )
})

test('a click is written again when another message has it', () => {
  const message = (tracking_id: string, at: number): Fact => ({ ...click(at), kind: 'sent', tracking_id })
  const changed = change([message('a', 0), click(9_000_000)], [message('b', 5_000_000)])
  assert.deepEqual(
    changedClicks(changed).map((row) => row[7]),
    ['b'],
  )
  assert.deepEqual(changedClicks(change([message('a', 0), click(9_000_000)], [message('b', 9_500_000)])), [])
})
