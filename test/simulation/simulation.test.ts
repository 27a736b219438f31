import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Violation } from './model/violation.ts'
import { planHistory } from './plan/plan.ts'
import type { History } from './plan/step.ts'
import { FAILED_SEEDS } from './seeds.ts'
import { shrink } from './shrink.ts'
import { listSeeds, simulate, type Worlds } from './simulate.ts'
import { openSqliteWorlds } from './world/world.ts'

/** How long every run of the tests plays histories that nobody has seen. */
const FRESH_MS = 20_000

test('the histories of all seeds that ever failed are as they must be', async () => {
  await using worlds = await openSqliteWorlds()
  const { failure, seeds } = await simulate(
    FAILED_SEEDS.map(([seed]) => seed),
    worlds,
  )
  if (failure !== undefined) assert.fail(failure)
  assert.equal(seeds, FAILED_SEEDS.length)
})

test('histories of fresh seeds are as they must be', async () => {
  await using worlds = await openSqliteWorlds()
  const { failure, facts, kills } = await simulate(listSeeds(undefined, Infinity, FRESH_MS), worlds)
  if (failure !== undefined) assert.fail(failure)
  assert.ok(facts > 0 && kills > 0, 'the histories above say something')
})

test('planHistory() plans the same for the same seed', () => {
  assert.deepEqual(planHistory(1), planHistory(1))
  assert.notDeepEqual(planHistory(1).steps, planHistory(2).steps)
})

test('a plan knows nothing of the worlds that it is played in, and no world knows how it was planned', () => {
  const importsOf = (folder: string) => readFiles(folder).flatMap((text) => text.match(/(?<=from ')\.[^']+/g) ?? [])
  assert.deepEqual(
    importsOf('plan').filter((path) => /\.\.\/(?:world|servers|people|model)\//.test(path)),
    [],
  )
  assert.deepEqual(
    ['world', 'servers', 'people', 'model']
      .flatMap(importsOf)
      .filter((path) => /\/(?:plan|acts|webhooks|scene)\.ts$/.test(path)),
    [],
  )
  assert.deepEqual(
    ['people', 'model'].flatMap(importsOf).filter((path) => /\/(?:world|servers)\//.test(path)),
    [],
  )
})

function readFiles(folder: string): string[] {
  return globSync(`${folder}/*.ts`, { cwd: import.meta.dirname }).map((path) =>
    readFileSync(join(import.meta.dirname, path), 'utf8'),
  )
}

test('shrink() finds the two steps and the event that a failure needs', async () => {
  const history = planHistory(3)
  const needed = history.steps.flatMap((step) => (step.kind === 'webhook' ? step.events.slice(0, 1) : [])).at(-1)
  assert.ok(needed !== undefined && history.steps.length > 10)
  const isFailing = async ({ steps }: History) =>
    steps.some(({ kind }) => kind === 'check') &&
    steps.some((step) => step.kind === 'webhook' && step.events.includes(needed))
  const { steps } = await shrink(history, isFailing)
  assert.deepEqual(steps.map(({ kind }) => kind).sort(), ['check', 'webhook'])
  assert.deepEqual(
    steps.flatMap((step) => (step.kind === 'webhook' ? step.events : [])),
    [needed],
  )
})

test('simulate() tells of a failure that does not come again', async () => {
  let played = 0
  const play = async () => {
    const failure = played++ === 0 ? new Violation('it was so once') : undefined
    return { failure, virtual_ms: 0, kills: 0 }
  }
  const worlds: Worlds = { plays: 3, options: '--servers 3 ', play, [Symbol.asyncDispose]: async () => {} }
  const { failure = '', seeds } = await simulate([3, 4], worlds)
  assert.equal(seeds, 1)
  assert.match(failure, /^seed 3 fails\n\nit was so once\n/)
  assert.match(failure, /it fails 0 times/)
  assert.match(failure, /npm run simulate -- --servers 3 --seed 3$/)
})
