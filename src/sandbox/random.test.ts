import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from './random.ts'

test('Random repeats itself, and its streams differ', () => {
  const draw = (seed: number, stream: number) => new Random(seed, stream).text(20)
  assert.equal(draw(1, 0), draw(1, 0))
  const instant = Date.parse('2026-11-22T21:30:00Z')
  const streams = [draw(1, 0), draw(2, 0), draw(1, 1), draw(1, instant), draw(1, instant + 2 ** 32)]
  assert.equal(new Set(streams).size, streams.length)
})

test('Random draws within its bounds, and as often as the weights say', () => {
  const random = new Random(1)
  const drawn = Array.from({ length: 10_000 }, () => random.integer(3, 6))
  assert.deepEqual([...new Set(drawn)].sort(), [3, 4, 5, 6])
  const often = Array.from({ length: 10_000 }, () =>
    random.pick([
      ['often', 9],
      ['seldom', 1],
    ]),
  )
  const share = often.filter((value) => value === 'often').length / often.length
  assert.ok(Math.abs(share - 0.9) < 0.02, `often: ${share}`)
})

test('Random.logNormal() has its median', () => {
  const random = new Random(1)
  const below = Array.from({ length: 10_000 }, () => random.logNormal(60, 1.5)).filter((value) => value < 60).length
  assert.ok(Math.abs(below - 5_000) < 200, `below the median: ${below}`)
})
