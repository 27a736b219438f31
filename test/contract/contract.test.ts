import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { Cluster } from './cluster.ts'
import { Schemas } from './schemas.ts'

let cluster: Cluster
let client: pg.Client

before(async () => {
  cluster = await Cluster.start('a password')
  client = new pg.Client({ connectionString: cluster.url })
  await client.connect()
})

after(async () => {
  await client.end()
  await cluster[Symbol.asyncDispose]()
})

function start(script: string, ...args: readonly string[]) {
  const env = { PATH: process.env.PATH }
  return spawn(process.execPath, [join(import.meta.dirname, script), ...args], { env })
}

/** Everything in the database that is not the server's own. */
async function listObjects(): Promise<unknown[]> {
  const { rows } = await client.query(`
    SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
    UNION ALL SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> current_user
    UNION ALL SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')`)
  return rows
}

test('npm run test:store runs on the server that it is given, and leaves nothing there', async () => {
  const running = start('main.ts', '--url', cluster.url, 'src/store/edges.test.ts')
  const [said, [code]] = await Promise.all([text(running.stdout), once(running, 'exit')])
  assert.equal(code, 0, said)
  assert.match(said, /pass [1-9]/)
  assert.deepEqual(await listObjects(), [])
})

test('npm run test:store that is stopped leaves nothing there either', async () => {
  const running = start('main.ts', '--url', cluster.url, 'src/store/prune.test.ts')
  const ended = once(running, 'exit')
  while ((await listObjects()).length === 0) assert.equal(running.exitCode, null, 'it ended before it began')
  running.kill('SIGTERM')
  await ended
  assert.deepEqual(await listObjects(), [])
})

test('Schemas.sweep() drops what tests left, and nothing of others', async () => {
  await using ours = new Schemas(cluster.url, 'ours')
  await using others = new Schemas(cluster.url, 'theirs')
  await using kept = await others.make()
  const left = await ours.make()
  await left.exec('CREATE TABLE left_behind (x integer)')
  assert.equal((await listObjects()).length, 2)
  assert.equal(await ours.sweep(), 1)
  await kept.exec('CREATE TABLE kept (x integer)')
  assert.equal((await listObjects()).length, 1)
})

test('Cluster keeps what it commits, runs as nobody in particular, and goes when its holder is killed', async () => {
  const holder = start('holder.ts')
  const [url] = (await once(holder.stdout, 'data')) as [Buffer]
  const held = new pg.Client({ connectionString: String(url).trim() })
  // The server goes without a goodbye.
  held.on('error', () => {})
  await held.connect()
  const { rows } =
    await held.query(`SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,
    current_setting('synchronous_commit') AS commit, current_setting('data_directory') AS data`)
  const { data, ...durable } = rows[0]
  assert.deepEqual(durable, { fsync: 'on', pages: 'on', commit: 'on' })
  const gone = new Promise<void>((resolve) => held.once('end', resolve))
  holder.kill('SIGKILL')
  await gone
  while (existsSync(dirname(data))) await wait(10)
})
