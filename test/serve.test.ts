import assert from 'node:assert/strict'
import { rmSync, statSync, symlinkSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { formatSignature } from '../src/ingest/signature.ts'
import { readout, Serving } from './command.ts'
import { KEY_SETTING, ON_SQLITE } from './database.ts'
import { envelope } from './open.ts'
import { ACCOUNT, openTerminal } from './terminal.ts'

test('readout serve takes webhooks, answers, stops on SIGTERM, and refuses another key', async () => {
  await using terminal = await openTerminal()
  const { database, run } = terminal
  await run(0, ...ACCOUNT, '--page', '9')
  const token = (await run(0, 'token', 'create', '--account', 'act_1', '--permission', 'read')).stdout.trim()
  await using serving = await Serving.start(['--database', database.name], {
    READOUT_APP_SECRET: 'old,new',
    ...KEY_SETTING,
  })
  const read = {
    field: 'marketing_message_reads',
    timestamp: Date.now(),
    message_id: '500',
    messenger_subscription_token: 'ann',
  }
  const body = Buffer.from(JSON.stringify(envelope('9', { ...read, marketing_message_tracking_id: 't1' })))
  const headers = { 'x-hub-signature-256': formatSignature(body, 'new') }
  assert.equal((await fetch(`${serving.url}/webhooks/messenger`, { method: 'POST', body, headers })).status, 200)
  const asked = await fetch(`${serving.url}/v25.0/act_1/insights?date_preset=today`, {
    headers: { authorization: `Bearer ${token}` },
  })
  assert.match(await asked.text(), /"marketing_messages_delivered":"1"/)
  assert.equal((await fetch(`${serving.url}/readyz`)).status, 200)
  assert.match(
    (await run(0, 'status', '-o', 'plain')).stdout,
    /^9\tact_1\t\t20[\d:TZ-]+\tread\tsent delivered clicked failed\t100\.0\t100\.0\n$/,
  )
  assert.equal(await serving.stop(), 0)
  await run(0, 'verify')

  const other = await readout(['account', 'list', '--database', database.name, '--hash-key', 'ab'.repeat(32)])
  assert.match(other.stderr, /cannot use this hash key: the database was written with the key of fingerprint/)
  assert.equal(other.code, 1)
})

test('readout serve keeps a SQLite file to itself, and its hash key beside it', ON_SQLITE, async () => {
  await using terminal = await openTerminal()
  const { database, run } = terminal
  await run(0, ...ACCOUNT)
  await using _serving = await Serving.start(['--database', database.name])
  assert.match((await run(1, 'serve', '--port', '0')).stderr, /another Readout has it open/)
  assert.equal(statSync(`${database.name}.key`).mode & 0o777, 0o600)
  rmSync(`${database.name}.key`)
  assert.match((await run(1, 'account', 'list')).stderr, /its hash key .* is missing; put it back/)
})

test('readout says where a database begins, which a mistyped path looks like', ON_SQLITE, async () => {
  await using terminal = await openTerminal()
  const { folder, database, run } = terminal
  const mistyped = folder.file('redout.db')
  {
    await using serving = await Serving.start(['--database', mistyped])
    assert.match(serving.greeting, /from .*redout\.db, which is new\n/)
  }
  {
    await using serving = await Serving.start(['--database', mistyped])
    assert.match(serving.greeting, /from .*redout\.db\n/)
  }
  assert.match((await run(0, ...ACCOUNT)).stderr, new RegExp(`^a new database begins at ${database.name}\n`))
  assert.doesNotMatch((await run(0, 'account', 'set', 'act_1', '--name', 'Two')).stderr, /begins/)
})

test('readout leaves the tables of an older version as they are while its server runs', ON_SQLITE, async () => {
  await using terminal = await openTerminal()
  const { database, run } = terminal
  await run(0, ...ACCOUNT)
  const { version } = await versionOf(database.name)
  {
    await using _serving = await Serving.start(['--database', database.name])
    await database.exec(`PRAGMA user_version = ${version - 1}`)
    assert.match((await run(1, 'account', 'list')).stderr, /a server of an older version has it open; stop that/)
    assert.match((await run(1, 'serve', '--port', '0')).stderr, /another Readout has it open/)
    assert.equal((await versionOf(database.name)).version, version - 1)
    await database.exec(`PRAGMA user_version = ${version}`)
  }
  await run(0, 'account', 'list')
})

async function versionOf(file: string): Promise<{ version: number }> {
  using db = new DatabaseSync(file, { readOnly: true })
  return { version: Number(db.prepare('PRAGMA user_version').get()?.user_version) }
}

test("two names of one SQLite file are one server's", ON_SQLITE, async () => {
  await using terminal = await openTerminal()
  const { folder, database, run } = terminal
  await run(0, ...ACCOUNT)
  symlinkSync(database.name, folder.file('other.db'))
  await using _serving = await Serving.start(['--database', database.name])
  const other = await readout([
    'serve',
    '--port',
    '0',
    '--database',
    folder.file('other.db'),
    '--hash-key',
    'ab'.repeat(32),
  ])
  assert.match(other.stderr, /another Readout has it open/)
})
