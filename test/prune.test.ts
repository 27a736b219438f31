import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { test } from 'node:test'
import { readout } from './command.ts'
import { ON_SQLITE, openDatabase } from './database.ts'
import { envelope, HASH_KEY, ms, TestServer } from './open.ts'
import { TemporaryFolder } from './temporary-folder.ts'

const PAGE = '9'
const KEY = ['--hash-key', Buffer.from(HASH_KEY).toString('hex')]
const CROWD = 1500

/** What a webhook says of a person's one message. */
function change(field: string, person: string, at: number) {
  return {
    field: `marketing_message_${field}`,
    timestamp: at,
    page_id: PAGE,
    message_id: '500',
    messenger_subscription_token: person,
    ...(field !== 'clicks' && { marketing_message_tracking_id: `to ${person}`.replaceAll(' ', '-') }),
  }
}

const QUESTIONS = [
  'act_1/insights?date_preset=maximum&time_increment=1&level=ad&region_policy=all',
  'act_1/insights?date_preset=maximum&breakdowns=hourly_stats_aggregated_by_advertiser_time_zone',
  '500/insights?date_preset=maximum&dated_by=delivery&breakdowns=country&region_policy=all',
  '500?fields=name,insights.date_preset(data_maximum){marketing_messages_link_btn_click_rate}',
]

async function ask(server: TestServer): Promise<string[]> {
  const texts = QUESTIONS.map(async (path) =>
    (await fetch(`${server.url}/v25.0/${path}&access_token=token1`))
      .text()
      .then((text) => text.replaceAll(server.url, '')),
  )
  return Promise.all(texts)
}

test('readout prune beside a server leaves every answer as it is, and the server refuses what it pruned', async () => {
  await using database = await openDatabase()
  const run = (...args: string[]) => readout([...args, '--database', database.name, ...KEY])
  await using server = await TestServer.open({ database: database.name })
  await server.addAccount('1', { page_ids: [PAGE], time_zone: 'America/New_York' })
  const march = ms('2023-03-03T10:00:00Z')
  const post = (...changes: object[]) => server.post(envelope(PAGE, ...(changes as Record<string, unknown>[])))
  const old = Array.from({ length: CROWD }, (_, i) => {
    const kinds = ['echoes', 'deliveries', 'reads', 'clicks'].slice(0, 1 + (i % 4))
    return kinds.map((kind, k) => change(kind, `person ${i}`, march + i * 600_000 + k * 60_000))
  }).flat()
  await post(...old)
  const recent = change('reads', 'zoe', ms('2026-11-01T10:00:00Z'))
  await post(recent)
  const before = await ask(server)

  const dry = await run('prune', '--before', '2023-06-01', '--dry-run')
  assert.match(dry.stderr, /^would prune 1500 messages, 375 clicks and 0 failures, which take about [\d.]+ kB\n$/)
  assert.equal((await server.store.threads.scan({ account: 1, ad: 1 }, '', 9999)).length, CROWD + 1)

  // Webhooks come meanwhile; each is answered 200, and none is counted twice.
  let isDone = false
  const posting = (async () => {
    const statuses = new Set<number>()
    for (let i = 0; !isDone; i++)
      statuses.add((await post(...old.slice((i % 9) * 50, (i % 9) * 50 + 50), recent)).status)
    return [...statuses]
  })()
  const pruned = await run('prune', '--before', '2023-06-01', '--account', 'act_1')
  isDone = true
  assert.deepEqual(await posting, [200])
  assert.match(pruned.stderr, /^pruned 1500 messages, 375 clicks and 0 failures; their counts stay\n/)
  assert.equal((await server.store.threads.scan({ account: 1, ad: 1 }, '', 9999)).length, 1)
  assert.deepEqual(await ask(server), before)

  const refusedBefore = await server.metric('readout_facts_pruned_total')
  assert.equal((await post(change('reads', 'person 1', ms('2026-11-19T10:00:00Z')), ...old.slice(0, 9))).status, 200)
  assert.equal(await server.metric('readout_facts_pruned_total'), refusedBefore + 10)
  assert.deepEqual(await ask(server), before)
  assert.equal((await run('verify')).code, 0)
  const status = await run('status')
  assert.match(
    status.stderr,
    new RegExp(`act_1 is pruned before 2023-06-01T04:00:00Z; refused since: ${refusedBefore + 10} facts`),
  )
})

test('readout prune --vacuum gives the space back to the disk, once no server runs', ON_SQLITE, async () => {
  using folder = new TemporaryFolder()
  const database = folder.file('readout.db')
  const prune = (...args: string[]) =>
    readout(['prune', '--before', '2023-06-01', '--database', database, ...KEY, ...args])
  {
    await using server = await TestServer.open({ database })
    await server.addAccount('1', { page_ids: [PAGE] })
    const march = ms('2023-03-03T10:00:00Z')
    const reads = Array.from({ length: 4 * CROWD }, (_, i) => change('reads', `person ${i}`, march))
    assert.equal((await server.post(envelope(PAGE, ...reads))).status, 200)
    assert.match((await prune('--vacuum')).stderr, /cannot vacuum .*: another Readout has it/)
  }
  const before = statSync(database).size
  assert.match(
    (await prune()).stderr,
    /their space is used again by what comes; stop the server to give it back to the disk with: readout prune --before DAY --vacuum/,
  )
  assert.ok(statSync(database).size >= before)
  const earlier = await readout(['prune', '--before', '2023-05-01', '--database', database, ...KEY])
  assert.match(earlier.stderr, /act_1 is pruned before 2023-06-01T\d\d:00:00Z already\n$/)
  const again = await prune('--vacuum')
  assert.equal(again.code, 0)
  assert.match(
    again.stderr,
    /^there was nothing to prune; facts of these campaigns before 2023-06-01 are refused from now on; see: readout status\n$/,
  )
  assert.ok(statSync(database).size < before / 2, `${statSync(database).size} of ${before} bytes`)
})

/** Days that are no closed ones, and accounts that are not there. */
const NEARLY_CLOSED = Temporal.Now.plainDateISO('UTC').subtract({ days: 6 }).toString()

const MISTAKES: [args: string[], code: number, said: RegExp][] = [
  [['--before', NEARLY_CLOSED], 2, /it must be a day as YYYY-MM-DD, at least 7 days ago/],
  [['--before', 'March'], 2, /--before is March: it must be a day as YYYY-MM-DD, at least 7 days ago/],
  [['--before', '2999-01-01'], 2, /--before is 2999-01-01: it must be a day as YYYY-MM-DD, at least 7 days ago/],
  [['--before', '2023-01-01', '--account', 'act_7'], 1, /there is no account act_7; see: readout account list/],
  [[], 2, /required option '--before <day>' not specified/],
]

test('readout prune names the value and the way out of a mistake', async () => {
  await using own = await openDatabase()
  const database = ['--database', own.name, ...KEY]
  await readout(['account', 'add', 'act_1', '--name', 'One', '--currency', 'USD', '--time-zone', 'UTC', ...database])
  for (const [args, code, said] of MISTAKES) {
    const ended = await readout(['prune', ...args, ...database])
    assert.match(ended.stderr, said)
    assert.equal(ended.code, code)
  }
})
