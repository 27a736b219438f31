import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { formatSignature } from '../src/ingest/signature.ts'
import { openSqliteStore } from '../src/store/sqlite/store.ts'
import type { Store } from '../src/store/store.ts'
import { verify } from '../src/store/verify.ts'
import { readout, Serving } from './command.ts'
import { APP_SECRET, envelope, HASH_KEY, ms, TestServer } from './open.ts'
import { TemporaryFolder } from './temporary-folder.ts'

const PAGE = '9'
const KEY = ['--hash-key', Buffer.from(HASH_KEY).toString('hex')]
const AT = ms('2026-11-20T09:00:00Z')
const FACTS = 400

/** A webhook with many facts that no other has. */
function reads(webhook: number): unknown {
  const one = (i: number) => ({
    field: 'marketing_message_reads',
    timestamp: AT,
    page_id: PAGE,
    message_id: '500',
    messenger_subscription_token: `person ${webhook} ${i}`,
    marketing_message_tracking_id: `t${i}`,
  })
  return envelope(PAGE, ...Array.from({ length: FACTS }, (_, i) => one(i)))
}

async function assertClean(store: Store): Promise<void> {
  const found: unknown[] = await store.findDamage()
  await store.read((tables) => verify(tables, (one) => found.push(one)))
  assert.deepEqual(found, [])
}

/** A disk of its own, of few bytes; `undefined` where this user may not mount one. */
function mountDisk(folder: TemporaryFolder, bytes: number): Disposable | undefined {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder.path])
  if (mounted.status !== 0) return undefined
  return { [Symbol.dispose]: () => execFileSync('umount', [folder.path]) }
}

/** Leaves so many bytes of a disk free. */
function fillDisk(path: string, left: number): string {
  const { bavail, bsize } = statfsSync(path)
  const file = join(path, `filler ${left}`)
  writeFileSync(file, Buffer.alloc(bavail * bsize - left))
  return file
}

/** A small act may still find room in the log: repeats it until it does not. */
async function firstRefusal(act: () => Promise<(number | undefined)[]>): Promise<(number | undefined)[]> {
  for (let times = 1; ; times++) {
    const answered = await act()
    if (answered[0] !== 200 || times === 200) return answered
  }
}

test('a full disk is answered 503 and loses nothing, and all is well when there is room again', async (context) => {
  using folder = new TemporaryFolder()
  using disk = mountDisk(folder, 24 * 1_048_576)
  if (disk === undefined) return context.skip('only who may mount a disk can fill one')
  const database = folder.file('readout.db')
  await using server = await TestServer.open({ database })
  await server.addAccount('1', { page_ids: [PAGE] })
  await server.addToken('writer', '1', 'write')
  assert.equal((await server.post(reads(0))).status, 200)
  const fillers = [fillDisk(folder.path, 600_000)]
  const refused: number[] = []
  for (let webhook = 1; webhook < 30; webhook++) {
    const { status, headers } = await server.post(reads(webhook))
    assert.equal(status === 200 || (status === 503 && headers.has('retry-after')), true, `${status}`)
    if (status === 503) refused.push(webhook)
  }
  assert.ok(refused.length > 10 && refused.length < 29, `${refused.length} of 29 refused`)
  const delivered = async () =>
    Number((await server.row('500', 'date_preset=today', '1'))?.marketing_messages_delivered)
  assert.equal(await delivered(), (30 - refused.length) * FACTS)
  fillers.push(fillDisk(folder.path, 0))
  const acts = ['act_1/message_campaign?id=501&name=New', 'act_1/insights?date_preset=today']
  const act = async (path: string) => {
    const response = await fetch(`${server.url}/v25.0/${path}&access_token=writer`, { method: 'POST' })
    const { error } = (await response.json()) as { error?: { code: number; error_subcode: number } }
    return [response.status, error?.code, error?.error_subcode]
  }
  for (const path of acts) assert.deepEqual(await firstRefusal(() => act(path)), [503, 2, 1504043], path)
  assert.ok((await server.metric('readout_commit_failures_total')) >= refused.length)
  const backup = folder.file('backup.db')
  const unmade = await readout(['backup', backup, '--database', database, ...KEY])
  assert.match(unmade.stderr, /cannot back up to the database .*: the disk is full; make room/)
  assert.deepEqual([existsSync(backup), existsSync(`${backup}.part`)], [false, false])

  for (const filler of fillers) rmSync(filler)
  for (const webhook of refused) assert.equal((await server.post(reads(webhook))).status, 200)
  assert.equal(await delivered(), 30 * FACTS)
  for (const path of acts) assert.equal((await act(path))[0], 200, path)
  await assertClean(server.store)
})

test('a disk that fails is answered 503, and what was answered 200 is there after a new start', async () => {
  using folder = new TemporaryFolder()
  const args = ['--database', folder.file('readout.db'), ...KEY]
  const account = [
    'account',
    'add',
    'act_1',
    '--name',
    'One',
    '--currency',
    'USD',
    '--time-zone',
    'UTC',
    '--page',
    PAGE,
  ]
  await readout([...account, ...args])
  const secret = { READOUT_APP_SECRET: APP_SECRET }
  const refused: number[] = []
  const post = async ({ url }: Serving, webhook: number) => {
    const body = Buffer.from(JSON.stringify(reads(webhook)))
    const headers = { 'x-hub-signature-256': formatSignature(body, APP_SECRET) }
    return (await fetch(`${url}/webhooks/messenger`, { method: 'POST', headers, body })).status
  }
  {
    // The log grows until it may not.
    await using serving = await Serving.start(args, secret, { file_bytes_max: 2_000_000 })
    for (let webhook = 0; webhook < 20; webhook++) {
      const status = await post(serving, webhook)
      assert.ok(status === 200 || status === 503, `${status}`)
      if (status === 503) refused.push(webhook)
    }
    assert.ok(refused.length > 0 && refused.length < 20, `${refused.length} of 20 refused`)
    assert.equal((await fetch(`${serving.url}/readyz`)).status, 200)
    await serving.stop('SIGKILL')
  }
  await using serving = await Serving.start(args, secret)
  const count = async () => {
    await using store = openSqliteStore(folder.file('readout.db'))
    await assertClean(store)
    return (await store.threads.scan({ account: 1, ad: 1 }, '', 99_999)).length
  }
  assert.equal(await count(), (20 - refused.length) * FACTS)
  for (const webhook of refused) assert.equal(await post(serving, webhook), 200)
  assert.equal(await count(), 20 * FACTS)
})

/** Who may not write everywhere: root may, so it runs the commands as nobody. */
const NOBODY = 65_534
const LIMITS = process.getuid?.() === 0 ? { uid: NOBODY } : {}

const ADD = ['account', 'add', 'act_1', '--name', 'One', '--currency', 'USD', '--time-zone', 'UTC']
const RENAME = ['account', 'set', 'act_1', '--name', 'Two']

/** What may not be written or read, by its mode, and what the commands say of it. */
const FORBIDDEN: readonly { what: string; file: string; mode: number; args: string[]; said: RegExp }[] = [
  {
    what: 'a folder',
    file: '.',
    mode: 0o555,
    args: RENAME,
    said: /cannot open the database .*: it may not be written; give the user who runs this the right to write it and its folder$/m,
  },
  {
    what: 'a folder',
    file: '.',
    mode: 0o555,
    args: ['serve', '--port', '0'],
    said: /cannot (?:open|serve) the database .*: it may not be written/,
  },
  {
    what: 'a file',
    file: 'readout.db',
    mode: 0o444,
    args: RENAME,
    said: /cannot write the database .*: it may not be written/,
  },
  {
    what: 'a file',
    file: 'readout.db',
    mode: 0o444,
    args: ['serve', '--port', '0'],
    said: /cannot write the database .*: it may not be written/,
  },
  {
    what: 'a file that may not be read',
    file: 'readout.db',
    mode: 0o000,
    args: RENAME,
    said: /cannot open the database .*: it is a folder, or this user may not open it/,
  },
  {
    what: 'a key that may not be read',
    file: 'readout.db.key',
    mode: 0o000,
    args: RENAME,
    said: /cannot use .*readout\.db\.key: permission denied$/m,
  },
]

test('what may not be written is left as it is, and told in one line', async (context) => {
  using folder = new TemporaryFolder()
  chmodSync(folder.path, 0o777)
  const database = folder.file('readout.db')
  const run = (args: readonly string[]) => readout([...args, '--database', database], {}, LIMITS)
  if ((await run(ADD)).code !== 0) return context.skip('nobody may run Readout here')
  for (const { what, file, mode, args, said } of FORBIDDEN) {
    const path = join(folder.path, file)
    const before = statSync(path).mode
    chmodSync(path, mode)
    const ended = await run(args)
    chmodSync(path, before)
    assert.match(ended.stderr, said, `${what}, ${args}`)
    assert.deepEqual([ended.code, ended.stderr.trim().split('\n').length], [1, 1], `${what}, ${args}`)
  }
  assert.match((await run(['account', 'list', '-o', 'plain'])).stdout, /^act_1\tOne/)
})

test('a folder in which no database can be made is told in one line', async (context) => {
  using folder = new TemporaryFolder()
  chmodSync(folder.path, 0o555)
  if ((await readout(['--version'], {}, LIMITS)).code !== 0) return context.skip('nobody may run Readout here')
  const ended = await readout([...ADD, '--database', folder.file('readout.db')], {}, LIMITS)
  assert.match(
    ended.stderr,
    /^readout: cannot write the hash key .*: this user may not; give it the right to write the folder\n$/,
  )
  assert.deepEqual([ended.code, readdirSync(folder.path)], [1, []])
})

test("another program's database is left as it is, to the byte", async () => {
  using folder = new TemporaryFolder()
  const file = folder.file('theirs.db')
  sql(file, 'CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)')
  const before = readFileSync(file)
  for (const args of [ADD, ['serve', '--port', '0'], ['backup', folder.file('backup.db')]]) {
    const ended = await readout([...args, '--database', file, ...KEY])
    assert.match(
      ended.stderr,
      /^readout: cannot (?:open|back up) the database .*: it is another program's; name another with --database\n$/,
    )
    assert.equal(ended.code, 1)
  }
  assert.deepEqual(readFileSync(file), before)
  assert.deepEqual(readdirSync(folder.path), ['theirs.db'])
})

test('a database of a newer version is left as it is, whoever asks', async () => {
  using folder = new TemporaryFolder()
  const file = folder.file('readout.db')
  await readout([...ADD, '--database', file, ...KEY])
  sql(file, 'PRAGMA user_version = 99')
  for (const args of [RENAME, ['serve', '--port', '0'], ['verify'], ['backup', folder.file('backup.db')]]) {
    const ended = await readout([...args, '--database', file, ...KEY])
    assert.match(ended.stderr, /it is of version 99, this Readout knows up to \d+; install a newer Readout\n$/)
    assert.equal(ended.code, 1)
  }
})

test('readout import on a disk that fails goes on where it was, once the disk is well', async () => {
  using folder = new TemporaryFolder()
  const [database, facts] = [folder.file('readout.db'), folder.file('facts.ndjson')]
  await readout([...ADD, '--page', PAGE, '--database', database])
  const line = (i: number) => ({
    kind: 'read',
    timestamp: AT,
    page_id: PAGE,
    message_id: '500',
    messenger_subscription_token: `person ${i}`,
    marketing_message_tracking_id: 't',
  })
  writeFileSync(facts, Array.from({ length: 70_000 }, (_, i) => JSON.stringify(line(i))).join('\n'))
  const stopped = await readout(['import', facts, '--database', database], {}, { file_bytes_max: 5_000_000 })
  assert.match(stopped.stderr, /^readout: cannot write the database .*: the disk fails; look into the machine's log/m)
  const ended = await readout(['import', facts, '--database', database])
  assert.match(ended.stderr, /^went on after line [1-9]\d+, where the last import was interrupted$/m)
  await using store = openSqliteStore(database)
  const sums = await store.rollups.sumColumns({ account: 1, ads: [0] }, { since: 0, until: 99_999 }, ['read_c'])
  assert.equal(sums.sums[0], 70_000n)
  await assertClean(store)
})

function sql(file: string, statement: string): void {
  using db = new DatabaseSync(file)
  db.exec(statement)
}
