import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { verify } from '../src/store/verify.ts'
import { readout, Serving, start } from './command.ts'
import { ENGINE, KEY_SETTING, ON_SQLITE, openDatabase } from './database.ts'
import { envelope, HASH_KEY, ms, TestServer } from './open.ts'
import { TemporaryFolder } from './temporary-folder.ts'

const KEY = Buffer.from(HASH_KEY).toString('hex')
const AT = ms('2026-10-18T03:00:00Z')

/** How long after the first messages are moved it is killed. */
const KILLED_AFTER_MS = [0, 30, 80, 150]

const QUESTIONS = [
  'act_1?fields=name,currency,insights{marketing_messages_delivered}',
  'act_1/campaigns?fields=name,status,insights.date_preset(maximum){marketing_messages_read,spend_currency}',
  '500?fields=name,created_time',
  'act_1/insights?date_preset=maximum&time_increment=1&level=ad&limit=500',
  'act_1/insights?date_preset=maximum&breakdowns=country&region_policy=all',
  'act_1/insights?date_preset=maximum&breakdowns=hourly_stats_aggregated_by_advertiser_time_zone',
  '500/insights?date_preset=maximum&dated_by=delivery&fields=marketing_messages_link_btn_click,marketing_messages_read_rate',
  'debug_token?input_token=token1',
  '404/insights',
]

async function ask(server: TestServer, path: string): Promise<string> {
  const url = `${server.url}/v25.0/${path}${path.includes('?') ? '&' : '?'}access_token=token1`
  const text = await (await fetch(url)).text()
  return text.replaceAll(server.url, '').replace(/"fbtrace_id":"[^"]*"/, '')
}

/** Webhooks of many people in forty campaigns: all are sent something, some read it, click it, or are not reached. */
function listWebhooks(): unknown[] {
  const change = (kind: string, person: number, after_s: number) => ({
    field: `marketing_message_${kind}`,
    timestamp: AT + person * 3e5 + after_s * 1000,
    page_id: '91',
    message_id: `${500 + (person % 40)}`,
    messenger_subscription_token: `person ${person % 900}`,
    ...(kind === 'delivery_failed'
      ? { error_message: 'away' }
      : kind !== 'clicks' && { marketing_message_tracking_id: trackingId(person) }),
  })
  return Array.from({ length: 30 }, (_, batch) => {
    const people = Array.from({ length: 100 }, (_, i) => batch * 100 + i)
    const kinds = ['echoes', 'deliveries', 'reads', 'clicks', 'delivery_failed']
    return envelope(
      '91',
      ...people.flatMap((person) => kinds.slice(0, 1 + (person % 7)).map((kind, i) => change(kind, person, i * 70))),
    )
  })
}

/** Two of three are UUIDs, as Meta's are. */
function trackingId(person: number): string {
  return person % 3 === 0 ? `t${person}` : `0b6f7f0e-9a54-4c0f-8f1d-${String(person).padStart(12, '0')}`
}

/** A source with something of everything, and what it answers. */
async function fillSource(database: string): Promise<{ questions: string[]; answers: string[] }> {
  await using server = await TestServer.open({ database })
  await server.addAccount('2', { page_ids: ['92'] })
  await server.addAccount('1', { page_ids: ['91', '9'], time_zone: 'America/New_York' })
  for (const webhook of listWebhooks()) assert.equal((await server.post(webhook)).status, 200)
  const parked = {
    field: 'marketing_message_reads',
    timestamp: AT,
    page_id: '93',
    message_id: '600',
    messenger_subscription_token: 'x',
    marketing_message_tracking_id: 't',
  }
  assert.equal(
    (await server.post(envelope('93', parked, { field: 'marketing_message_reads', page_id: '93' }))).status,
    200,
  )
  const { report_run_id } = await server.graph('act_1/insights?level=ad&date_preset=maximum', { method: 'POST' })
  const done = async () => (await server.graph(`${report_run_id}`)).async_percent_completion
  while (Number(await done()) < 100) await wait(20)
  const questions = [...QUESTIONS, `${report_run_id}`, `${report_run_id}/insights?limit=7`]
  return { questions, answers: await Promise.all(questions.map((path) => ask(server, path))) }
}

/** Starts a move, and kills it so long after its first messages are there; false where it ended before. */
async function killMove(args: readonly string[], after_ms: number): Promise<boolean> {
  const moving = start(args)
  const exited = once(moving, 'exit')
  for await (const chunk of moving.stderr ?? []) if (String(chunk).includes('moving message')) break
  await wait(after_ms)
  moving.kill('SIGKILL')
  const [, signal] = await exited
  return signal === 'SIGKILL'
}

async function countDiscrepancies(server: TestServer): Promise<number> {
  let discrepancies = 0
  await server.store.read((tables) => verify(tables, () => discrepancies++))
  return discrepancies
}

/** One more delivery in campaign 500, and the same again. */
async function deliverTwice(server: TestServer, person: string): Promise<void> {
  const path = '500/insights?date_preset=maximum&fields=marketing_messages_delivered'
  const delivered = async () => Number(JSON.parse(await ask(server, path)).data[0].marketing_messages_delivered)
  const before = await delivered()
  const change = {
    field: 'marketing_message_deliveries',
    timestamp: AT,
    page_id: '91',
    message_id: '500',
    messenger_subscription_token: person,
    marketing_message_tracking_id: person,
  }
  for (let i = 0; i < 2; i++) assert.equal((await server.post(envelope('91', change))).status, 200)
  assert.equal(await delivered(), before + 1)
}

test('readout move, killed as often as you like, has a server answer the same bytes there and back, and count on', async () => {
  using folder = new TemporaryFolder()
  await using target = await openDatabase()
  const [first, back] = [folder.file('readout.db'), folder.file('back.db')]
  const { questions, answers } = await fillSource(first)
  const there = ['move', '--from', first, '--to', target.name]
  const [server, command] = [
    () => TestServer.open({ database: target.name }),
    ['status', '--database', target.name, '--hash-key', KEY],
  ]
  let killed = 0
  for (const after_ms of KILLED_AFTER_MS) {
    if (!(await killMove(there, after_ms))) continue
    killed++
    assert.match((await readout(command)).stderr, /a move into it from .* has not ended; call readout move again/)
    await assert.rejects(server(), /a move into it from .* has not ended/)
  }
  assert.ok(killed > 0, 'it always ended before it was killed')
  const ended = await readout(there)
  assert.equal(ended.code, 0, ended.stderr)
  assert.match(
    ended.stderr,
    /\d{4,} rows had been moved before\nmoved \d{4,} rows to .*; every one is the same in both\n/,
  )
  {
    await using moved = await server()
    assert.deepEqual(await Promise.all(questions.map((path) => ask(moved, path))), answers)
    for (const webhook of listWebhooks()) await moved.post(webhook)
    assert.deepEqual(await Promise.all(questions.map((path) => ask(moved, path))), answers)
    await deliverTwice(moved, 'somebody-new')
    await moved.addCampaign('700', '1')
    assert.equal(await countDiscrepancies(moved), 0)
    answers.splice(0, Infinity, ...(await Promise.all(questions.map((path) => ask(moved, path)))))
  }
  const returned = await readout(['move', '--from', target.name, '--to', back])
  assert.equal(returned.code, 0, returned.stderr)
  assert.match(returned.stderr, /: it is what it was; set READOUT_HASH_KEY to it, or put it into .*back\.db\.key\n/)
  await using again = await TestServer.open({ database: back })
  assert.deepEqual(await Promise.all(questions.map((path) => ask(again, path))), answers)
  await deliverTwice(again, 'somebody-else')
  assert.equal(await countDiscrepancies(again), 0)
})

test('readout move that has ended compares again, and names what differs', async () => {
  using folder = new TemporaryFolder()
  await using target = await openDatabase()
  const from = folder.file('readout.db')
  const add = (database: string, id: string, ...more: string[]) =>
    readout([
      'account',
      'add',
      `act_${id}`,
      '--name',
      'One',
      '--currency',
      'USD',
      '--time-zone',
      'UTC',
      '--database',
      database,
      ...more,
    ])
  await add(from, '1')
  const args = ['move', '--from', from, '--to', target.name]
  const [first, second] = [await readout(args), await readout(args)]
  assert.equal(second.code, 0)
  assert.match(first.stderr, /\nmoved 3 rows to .*; every one is the same in both\n/)
  assert.match(
    first.stderr,
    ENGINE === 'sqlite'
      ? /: copy .*readout\.db\.key to .*\.key\n/
      : /: set READOUT_HASH_KEY to what .*readout\.db\.key holds/,
  )
  assert.match(second.stderr, /3 rows had been moved before\nmoved 3 rows/)
  await add(from, '2')
  const third = await readout(args)
  assert.equal(third.code, 1)
  assert.match(third.stderr, /\n.*readout\.db has account \(account 2\) where .* has no row\n/)
  assert.match(
    third.stderr,
    /these first differences are in 2 tables: one of the two databases has changed since it was moved/,
  )
})

test('readout move refuses what it cannot move, and says so', async () => {
  using folder = new TemporaryFolder()
  await using target = await openDatabase()
  const [from, other] = [folder.file('readout.db'), folder.file('other.db')]
  const account = ['account', 'add', 'act_1', '--name', 'One', '--currency', 'USD', '--time-zone', 'UTC', '--database']
  for (const database of [from, other]) assert.equal((await readout([...account, database])).code, 0)
  const refusals: [from: string, to: string, code: number, said: RegExp][] = [
    [folder.file('nowhere.db'), target.name, 1, /there is no database .*nowhere\.db: name it with --from/],
    [from, from, 2, /--from and --to are the same database: name another with --to/],
    [from, other, 1, /cannot move under another hash key: .* fingerprint \w+, the target was begun with \w+; name/],
    [from, 'postgres://user:secret@:x/', 2, /--to must be a URL as postgres:/],
    [from, 'mysql://x', 2, /It must be the path of a file/],
  ]
  for (const [one, to, code, said] of refusals) {
    const ended = await readout(['move', '--from', one, '--to', to])
    assert.match(ended.stderr, said)
    assert.equal(ended.code, code, ended.stderr)
    assert.ok(!ended.stderr.includes('secret'))
  }
  await readout(
    ['token', 'create', '--account', 'act_1', '--permission', 'read', '--database', target.name],
    KEY_SETTING,
  )
  const key = { READOUT_HASH_KEY: KEY }
  assert.equal((await readout([...account, target.name], key)).code, 0)
  const own = await readout([...account, folder.file('own.db')], key)
  assert.equal(own.code, 0, own.stderr)
  const held = await readout(['move', '--from', folder.file('own.db'), '--to', target.name])
  assert.match(
    held.stderr,
    /cannot move to the database .*: it has rows in account; name one that is new or empty with --to/,
  )
  assert.equal(held.code, 1)
  assert.ok(!existsSync(folder.file('nowhere.db')))
})

test('readout move takes no file from a server', ON_SQLITE, async () => {
  using folder = new TemporaryFolder()
  const from = folder.file('readout.db')
  await using _serving = await Serving.start(['--database', from])
  const refused = await readout(['move', '--from', from, '--to', folder.file('other.db')])
  assert.match(
    refused.stderr,
    /cannot move the database .*: another Readout has it open, a server or a command; stop it/,
  )
  assert.equal(refused.code, 1)
})
