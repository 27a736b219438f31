import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { type OpenedPostgres, openPostgres, SERVERS } from '../contract/postgres.ts'
import { ArmedFaults } from './armed-faults.ts'
import { Frames } from './servers/frames.ts'
import { SYNC, Wire } from './servers/wire.ts'
import { openServersWorlds } from './servers/world.ts'
import { listSeeds, simulate } from './simulate.ts'

/** How long every run of the tests plays histories that nobody has seen; `npm run simulate` plays more of them. */
const FRESH_MS = 3000

let postgres: OpenedPostgres

before(async () => {
  postgres = await openPostgres('postgres', 'readout_simulation')
})

after(() => postgres[Symbol.asyncDispose]())

test('histories of fresh seeds are as they must be on several servers', async () => {
  await using worlds = openServersWorlds(postgres.schemas, SERVERS, '--database postgres ')
  const { failure, facts } = await simulate(listSeeds(undefined, Infinity, FRESH_MS), worlds)
  if (failure !== undefined) assert.fail(failure)
  assert.ok(facts > 0, 'the histories above say something')
})

for (const { effect, isStored } of [
  { effect: 'fail before', isStored: false },
  { effect: 'fail after', isStored: true },
] as const) {
  test(`Wire has a commit ${effect} it is done`, async () => {
    await using schema = await postgres.schemas.make()
    await schema.exec('CREATE TABLE kept (x integer)')
    const faults = new ArmedFaults(SYNC)
    let commits = 0
    await using wire = await Wire.lay(schema.name, faults, { onCommit: () => commits++, onKill: () => {} })
    const client = new pg.Client({ connectionString: wire.database })
    client.on('error', () => {})
    await client.connect()
    await client.query('BEGIN ISOLATION LEVEL READ COMMITTED; SELECT 1')
    await client.query('INSERT INTO kept VALUES ($1)', [1])
    faults.arm({ point: 'commit', effect, left: 0 })
    await assert.rejects(client.query('COMMIT'))
    assert.equal(commits, isStored ? 1 : 0)
    const reading = new pg.Client({ connectionString: schema.name })
    await reading.connect()
    const { rows } = await reading.query('SELECT x FROM kept')
    await reading.end()
    assert.deepEqual(rows, isStored ? [{ x: 1 }] : [])
  })
}

test('Frames cuts messages out of pieces of any length', () => {
  const bytes = Buffer.from([0, 0, 0, 8, 0, 3, 0, 0, 81, 0, 0, 0, 6, 49, 0, 88, 0, 0, 0, 4])
  for (let size = 1; size <= bytes.length; size++) {
    const frames = new Frames('client')
    const cut: { type: string; length: number }[] = []
    for (let start = 0; start < bytes.length; start += size) {
      for (const { type, bytes: own } of frames.take(bytes.subarray(start, start + size)))
        cut.push({ type, length: own.length })
    }
    assert.deepEqual(cut, [
      { type: '', length: 8 },
      { type: 'Q', length: 7 },
      { type: 'X', length: 5 },
    ])
  }
})
