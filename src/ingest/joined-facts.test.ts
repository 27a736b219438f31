import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Fact } from '../domain/fact.ts'
import { JoinedFacts } from './joined-facts.ts'

test('JoinedFacts.at() gives the fact at a place of all lists, whatever was asked before', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.constant(null), { maxLength: 3 })), fc.array(fc.nat(40)), (shape, places) => {
      let made = 0
      const lists = shape.map((list) => list.map(() => ({ at: made++ }) as Fact))
      const joined = new JoinedFacts(lists)
      assert.equal(joined.length, made)
      const flat = lists.flat()
      for (const place of places) assert.equal(joined.at(place), flat[place])
    }),
  )
})
