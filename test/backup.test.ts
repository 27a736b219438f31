import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { verify } from '../src/store/verify.ts'
import { readout, Serving } from './command.ts'
import { envelope, HASH_KEY, ms, TestServer } from './open.ts'
import { TemporaryFolder } from './temporary-folder.ts'

const KEY = Buffer.from(HASH_KEY).toString('hex')
const OTHER_KEY = 'ab'.repeat(32)

/** A webhook change of a message to one person. */
function change(field: string, ad: string, person: number, at: number, page_id: string) {
  return {
    field: `marketing_message_${field}`,
    timestamp: at,
    page_id,
    message_id: ad,
    messenger_subscription_token: `person ${person}`,
    ...(field !== 'clicks' && { marketing_message_tracking_id: `t${person}` }),
  }
}

/** What clients ask of account 1, which stands still. */
const QUESTIONS = [
  'act_1?fields=name,currency,insights{marketing_messages_delivered}',
  'act_1/campaigns?fields=name,status,insights.date_preset(maximum){marketing_messages_read,spend_currency}',
  '500?fields=name,created_time',
  'act_1/insights?date_preset=maximum&time_increment=1&level=ad',
  'act_1/insights?date_preset=maximum&breakdowns=country&region_policy=all',
  'act_1/insights?date_preset=maximum&breakdowns=hourly_stats_aggregated_by_advertiser_time_zone',
  '500/insights?date_preset=maximum&dated_by=delivery&fields=marketing_messages_link_btn_click,marketing_messages_read_rate',
  '404/insights',
]

async function ask(server: TestServer, path: string): Promise<string> {
  const text = await (
    await fetch(`${server.url}/v25.0/${path}${path.includes('?') ? '&' : '?'}access_token=token1`)
  ).text()
  return text.replaceAll(server.url, '').replace(/"fbtrace_id":"[^"]*"/, '')
}

/** Fills the file, so that copying it takes many steps. */
async function fill(server: TestServer, megabytes: number): Promise<void> {
  const changes = Array.from({ length: megabytes * 50 }, (_, i) => ({
    reason: 'filler',
    change: `${i} `.padEnd(20_000),
  }))
  await server.store.write(({ setAside }) => setAside.reject(changes, 0))
}

test('a restored server answers the same bytes, and has all that was answered 200 before the backup began', async () => {
  using folder = new TemporaryFolder()
  const [database, backup, restored] = ['readout.db', 'backup.db', 'new/readout.db'].map((name) => folder.file(name))
  assert.ok(database && backup && restored)
  await using server = await TestServer.open({ database })
  for (const id of ['1', '2']) await server.addAccount(id, { page_ids: [`9${id}`], time_zone: 'America/New_York' })
  const at = ms('2026-11-18T03:00:00Z')
  for (let person = 0; person < 20; person++) {
    const kinds = ['echoes', 'deliveries', 'reads', 'clicks'].slice(0, 1 + (person % 4))
    const ad = person % 2 === 0 ? '500' : '501'
    await server.post(
      envelope('91', ...kinds.map((kind, i) => change(kind, ad, person, at + person * 3e6 + i * 1e5, '91'))),
    )
  }
  await fill(server, 16)
  const { report_run_id } = await server.graph('act_1/insights?level=ad&date_preset=maximum', { method: 'POST' })
  const questions = [...QUESTIONS, `${report_run_id}`, `${report_run_id}/insights?limit=1`]
  const before = await Promise.all(questions.map((path) => ask(server, path)))

  let answered = 0
  let isDone = false
  const posting = (async () => {
    for (let person = 0; !isDone; person++) {
      if ((await server.post(envelope('92', change('reads', '600', person, at, '92')))).status === 200) answered++
    }
  })()
  while (answered < 20) await new Promise(setImmediate)
  const atLeast = answered
  const made = await readout(['backup', backup, '--database', database, '--hash-key', KEY])
  assert.equal(made.code, 0, made.stderr)
  const atMost = answered + 1
  isDone = true
  await posting
  assert.ok(atMost > atLeast + 1, 'nothing was written meanwhile')

  const ended = await readout(['restore', backup, '--database', restored, '--hash-key', KEY])
  assert.match(
    ended.stderr,
    /^restored [\d.]+ MB to .*: 2 accounts, 3 campaigns, the last webhook came at 2026-11-20T12:00/,
  )
  await using second = await TestServer.open({ database: restored })
  assert.deepEqual(await Promise.all(questions.map((path) => ask(second, path))), before)
  const [{ delivered = -1 } = {}] = await readDelivered(second, '600')
  assert.ok(delivered >= atLeast && delivered <= atMost, `${atLeast} <= ${delivered} <= ${atMost}`)
  let discrepancies = 0
  await second.store.read((tables) => verify(tables, () => discrepancies++))
  assert.equal(discrepancies, 0)
})

async function readDelivered(server: TestServer, id: string): Promise<{ delivered: number }[]> {
  const query = 'fields=marketing_messages_delivered&date_preset=maximum&access_token=token2'
  const { data } = (await (await fetch(`${server.url}/v25.0/${id}/insights?${query}`)).json()) as {
    data: { marketing_messages_delivered: string }[]
  }
  return data.map(({ marketing_messages_delivered }) => ({ delivered: Number(marketing_messages_delivered) }))
}

/** A database with an account, its key beside it, and a backup of it without the key. */
async function openBackup(): Promise<{ folder: TemporaryFolder; database: string; backup: string }> {
  const folder = new TemporaryFolder()
  const [database, backup] = [folder.file('readout.db'), folder.file('backup.db')]
  const account = ['account', 'add', 'act_1', '--name', 'One', '--currency', 'USD', '--time-zone', 'UTC']
  await readout([...account, '--database', database])
  const made = await readout(['backup', backup, '--database', database])
  assert.equal(made.code, 0, made.stderr)
  return { folder, database, backup }
}

test('readout backup makes one file, as readable as the database, and says that the key is not in it', async () => {
  const { folder, database, backup } = await openBackup()
  using _folder = folder
  const key = readFileSync(`${database}.key`, 'utf8').trim()
  assert.ok(!readFileSync(backup).includes(key))
  assert.equal(statSync(backup).mode, statSync(database).mode)
  for (const end of ['-wal', '-shm', '-journal', '.part', '.key']) assert.ok(!existsSync(backup + end), end)
  const again = await readout(['backup', backup, '--database', database])
  assert.match(again.stderr, /cannot back up to .*backup\.db: it is there already; name another, or move it away/)
  const nowhere = await readout(['backup', folder.file('x'), '--database', folder.file('nowhere.db')])
  assert.match(nowhere.stderr, /there is no database .*nowhere\.db/)
})

test('of two backups to one name one is made, whole, and the other is refused', async () => {
  const { folder, database, backup } = await openBackup()
  using _folder = folder
  const bytes = statSync(backup).size
  for (let round = 0; round < 2; round++) {
    rmSync(backup)
    const both = await Promise.all([backup, backup].map((file) => readout(['backup', file, '--database', database])))
    assert.deepEqual(both.map(({ code }) => code).sort(), [0, 1], both.map(({ stderr }) => stderr).join())
    const refused = both.find(({ code }) => code === 1)?.stderr ?? ''
    assert.match(refused, /cannot write .*: another command is making|cannot back up to .*: it is there already/)
    assert.equal(statSync(backup).size, bytes)
    for (const end of ['.part', '.part.lock']) assert.ok(!existsSync(backup + end), end)
  }
})

test('a log whose database is gone is left as it is, whoever comes', async () => {
  const { folder, database, backup } = await openBackup()
  using _folder = folder
  const log = `${database}-wal`
  rmSync(database)
  writeFileSync(log, 'facts')
  const account = ['account', 'add', 'act_2', '--name', 'Two', '--currency', 'USD', '--time-zone', 'UTC']
  const commands = [account, ['serve', '--port', '0'], ['import', backup], ['restore', backup, '--replace']]
  // Through a link as well, which SQLite follows.
  symlinkSync(database, folder.file('link.db'))
  const linked = await readout([...account, '--database', folder.file('link.db')])
  assert.match(linked.stderr, /it is gone, and its log .*readout\.db-wal is there/)
  assert.equal(readFileSync(log, 'utf8'), 'facts')
  for (const command of commands) {
    const ended = await readout([...command, '--database', database])
    assert.equal(ended.code, 1, command.join(' '))
    assert.match(
      ended.stderr,
      /it is gone, and its log .*readout\.db-wal is there.*put the file back beside it, or move/,
    )
    assert.equal(readFileSync(log, 'utf8'), 'facts')
    assert.ok(!existsSync(database))
  }
})

test('readout backup goes over what a killed one left', async () => {
  const { folder, database, backup } = await openBackup()
  using _folder = folder
  const other = folder.file('other.db')
  for (const end of ['', '-journal', '-wal', '-shm']) writeFileSync(`${other}.part${end}`, 'left')
  const made = await readout(['backup', other, '--database', database])
  assert.match(made.stderr, /keep a copy of .*readout\.db\.key in another place/)
  assert.deepEqual(readFileSync(other), readFileSync(backup))
  assert.deepEqual(
    ['', '-journal', '-wal', '-shm'].map((end) => existsSync(`${other}.part${end}`)),
    [false, false, false, false],
  )
})

interface Refused {
  readonly what: string
  /** What is done to the backup, or to the place of the database, before. */
  readonly spoil?: (files: { backup: string; target: string }) => void
  /** The right key when left out. */
  readonly key?: readonly string[]
  readonly said: RegExp
}

function sql(file: string, statement: string): void {
  using db = new DatabaseSync(file)
  db.exec(statement)
}

const REFUSED: readonly Refused[] = [
  {
    what: 'no key',
    key: [],
    said: /its hash key is missing; put its copy at .*\.key or .*target\.db\.key, or set READOUT_HASH_KEY/,
  },
  { what: 'another key', key: ['--hash-key', OTHER_KEY], said: /was written with the key of fingerprint/ },
  { what: 'no file', spoil: ({ backup }) => rmSync(backup), said: /there is no such file/ },
  {
    what: 'no database',
    spoil: ({ backup }) => writeFileSync(backup, 'text '.repeat(999)),
    said: /it is no database, or its beginning is damaged; take another backup/,
  },
  {
    what: 'half of a move',
    spoil: ({ backup }) =>
      sql(backup, `INSERT INTO setting VALUES ('move', '{"from":"other.db","table":"message","after":[],"rows":1}')`),
    said: /a move into it from other\.db has not ended; call readout move again/,
  },
  { what: 'an empty file', spoil: ({ backup }) => writeFileSync(backup, ''), said: /it is empty; name another file/ },
  {
    what: "another program's database",
    spoil: ({ backup }) => sql(backup, 'PRAGMA application_id = 7'),
    said: /it is another program's; name another file/,
  },
  {
    what: 'a database of a newer version',
    spoil: ({ backup }) => sql(backup, 'PRAGMA user_version = 99'),
    said: /it is of version 99, this Readout knows up to \d+; install a newer Readout/,
  },
  {
    what: 'a page that was written over',
    spoil: ({ backup }) => {
      const bytes = readFileSync(backup)
      writeFileSync(backup, bytes.fill(0x5a, 20 * 4096, 20 * 4096 + 99))
    },
    said: /it is damaged \(.+\); take another backup/,
  },
  {
    what: 'half of a file',
    spoil: ({ backup }) => truncateSync(backup, 65_536),
    said: /it is damaged \(.+\); take another backup/,
  },
  {
    what: 'a place that is taken',
    spoil: ({ target }) => writeFileSync(target, 'x'),
    said: /it is there already; name another with --database, or move it aside with --replace/,
  },
  {
    what: 'a log without its database',
    spoil: ({ target }) => writeFileSync(`${target}-wal`, 'x'),
    said: /cannot restore to .*target\.db: it is gone, and its log .*target\.db-wal is there, which may hold facts; put the file back/,
  },
]

test('readout restore refuses what it cannot vouch for, and leaves nothing behind then', async () => {
  const { folder, database, backup } = await openBackup()
  using _folder = folder
  const right = ['--hash-key', readFileSync(`${database}.key`, 'utf8').trim()]
  for (const { what, spoil, key = right, said } of REFUSED) {
    using own = new TemporaryFolder()
    const [copy, target] = [own.file('copy.db'), own.file('target.db')]
    copyFileSync(backup, copy)
    spoil?.({ backup: copy, target })
    const isThere = existsSync(target)
    const ended = await readout(['restore', copy, '--database', target, ...key])
    assert.match(ended.stderr, said, what)
    assert.equal(ended.code, 1, what)
    assert.deepEqual(
      [existsSync(target), existsSync(`${target}.part`), existsSync(`${target}.key`)],
      [isThere, false, false],
    )
  }
})

test('readout restore --replace keeps what was there, and is refused while a server runs', async () => {
  const { folder, database, backup } = await openBackup()
  using _folder = folder
  const restore = (...args: string[]) => readout(['restore', backup, '--database', database, ...args])
  await readout(['account', 'set', 'act_1', '--name', 'Two', '--database', database])
  {
    await using _serving = await Serving.start(['--database', database])
    assert.match((await restore('--replace')).stderr, /cannot restore the database .*: another Readout has it open/)
  }
  const list = async (file: string) => (await readout(['account', 'list', '-o', 'plain', '--database', file])).stdout
  const key = readFileSync(`${database}.key`)
  const ended = await restore('--replace')
  assert.match(ended.stderr, /what was there before is .*readout\.db\.replaced; remove it when all is well/)
  assert.match(await list(database), /^act_1\tOne/)
  assert.deepEqual(readFileSync(`${database}.key`), key)
  assert.match(await list(`${database}.replaced`), /^act_1\tTwo/)
  assert.match((await restore('--replace')).stderr, /replaced: it is there already; it is what was replaced before/)
})

test('readout restore takes the key that lies beside the backup, and makes its folder', async () => {
  const { folder, database, backup } = await openBackup()
  using _folder = folder
  copyFileSync(`${database}.key`, `${backup}.key`)
  const target = folder.file('new/target.db')
  const ended = await readout(['restore', backup, '--database', target])
  assert.match(ended.stderr, /^restored .* to .*target\.db: 1 account, 0 campaigns, no webhook yet\n$/)
  assert.deepEqual(readFileSync(`${target}.key`), readFileSync(`${database}.key`))
  assert.equal(statSync(`${target}.key`).mode & 0o777, 0o600)
  assert.equal((await readout(['verify', '--database', target])).code, 0)
})

test('readout restore --replace is refused while any program has the database open', async () => {
  const { folder, database, backup } = await openBackup()
  using _folder = folder
  {
    using db = new DatabaseSync(database)
    db.prepare('SELECT COUNT(*) FROM account').get()
    const ended = await readout(['restore', backup, '--database', database, '--replace'])
    assert.match(
      ended.stderr,
      /cannot put aside the database .*: another program holds it, and does not let go; try again/,
    )
  }
  for (const end of ['.replaced', '.replaced.key', '.part']) assert.ok(!existsSync(database + end), end)
  assert.equal((await readout(['restore', backup, '--database', database, '--replace'])).code, 0)
})

test("readout restore --replace puts the key aside with its database, and takes the one that is the backup's", async () => {
  const { folder, database, backup } = await openBackup()
  using _folder = folder
  copyFileSync(`${database}.key`, `${backup}.key`)
  using other = new TemporaryFolder()
  const theirs = other.file('theirs.db')
  const account = ['account', 'add', 'act_2', '--name', 'Two', '--currency', 'USD', '--time-zone', 'UTC']
  await readout([...account, '--database', theirs])
  const ended = await readout(['restore', backup, '--database', theirs, '--replace'])
  assert.equal(ended.code, 0, ended.stderr)
  const list = async (file: string) => (await readout(['account', 'list', '-o', 'plain', '--database', file])).stdout
  assert.match(await list(theirs), /^act_1\tOne/)
  assert.match(await list(`${theirs}.replaced`), /^act_2\tTwo/)
})

test('a database that is damaged is put aside as it is', async () => {
  const { folder, database, backup } = await openBackup()
  using _folder = folder
  writeFileSync(database, readFileSync(database).fill(0x5a, 0, 4096))
  const ended = await readout(['restore', backup, '--database', database, '--replace'])
  assert.equal(ended.code, 0, ended.stderr)
  assert.equal((await readout(['verify', '--database', database])).code, 0)
})

test('readout restore writes over no key that nobody could make again', async () => {
  const { folder, database, backup } = await openBackup()
  using _folder = folder
  copyFileSync(`${database}.key`, `${backup}.key`)
  const lone = folder.file('lone.db')
  writeFileSync(`${lone}.key`, OTHER_KEY)
  const ended = await readout(['restore', backup, '--database', lone])
  assert.match(ended.stderr, /lone\.db\.key is the key of another database; move it away/)
  writeFileSync(`${database}.replaced.key`, OTHER_KEY)
  const again = await readout(['restore', backup, '--database', database, '--replace'])
  assert.match(again.stderr, /replaced\.key is the key of what was replaced before; move it away/)
  for (const file of [`${lone}.key`, `${database}.replaced.key`]) assert.equal(readFileSync(file, 'utf8'), OTHER_KEY)
  assert.deepEqual([existsSync(lone), existsSync(`${database}.replaced`)], [false, false])
})
