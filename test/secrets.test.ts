import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { formatSignature } from '../src/ingest/signature.ts'
import { readout, start } from './command.ts'
import { openDatabase } from './database.ts'
import { envelope } from './open.ts'
import { TemporaryFolder } from './temporary-folder.ts'

const random = (length: number) => randomBytes(length).toString('hex')

/** Each of a form of its own, so that one who is found tells where it came from; with what URLs and JSON write otherwise. */
const APP_SECRET = `app/${random(12)}+&é`
const VERIFY_TOKEN = `verify "${random(12)}"/`
const METRICS_TOKEN = `metrics-${random(12)}`
const HASH_KEY = random(32)
const SUBSCRIBER = `subscriber/${random(12)}=`
const MID = `m_${random(12)}/+`
const PAGE_SCOPED_ID = '71234509876543210'
const UNKNOWN_TOKEN = `EAAB${random(20)}`

/** A secret as it is, and as it may have been written down. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const base64 = [bytes.toString('base64'), bytes.toString('base64url')].map((text) => text.replace(/=+$/, ''))
  const quoted = JSON.stringify(secret).slice(1, -1)
  return [
    secret,
    quoted,
    encodeURIComponent(secret),
    new URLSearchParams({ '': secret }).toString().slice(1),
    ...base64,
  ]
}

function assertNone(said: string, secrets: readonly string[], where: string): void {
  const found = secrets.flatMap(spellings).filter((one) => said.includes(one))
  assert.deepEqual(found, [], `${where} tells a secret: ${said}`)
}

/** A server whose every word is kept; SIGUSR2 makes it crash by an error that nobody catches. */
class Watched implements AsyncDisposable {
  said = ''
  readonly #child
  readonly exited: Promise<unknown>

  constructor(args: readonly string[], env: Record<string, string>) {
    const crash = encodeURIComponent('process.on("SIGUSR2", () => { throw new Error("injected") })')
    this.#child = start(['serve', '--port', '0', ...args], {
      ...env,
      NODE_OPTIONS: `--import=data:text/javascript,${crash}`,
    })
    this.exited = once(this.#child, 'exit')
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', (text) => (this.said += text))
  }

  async url(): Promise<string> {
    while (!this.said.includes('/metrics')) {
      const ended = await Promise.race([this.exited, once(this.#child.stdout ?? assert.fail(), 'data')])
      assert.equal(this.#child.exitCode, null, `${ended} ${this.said}`)
    }
    return /http:\/\/[\w.:]+/.exec(this.said)?.[0] ?? ''
  }

  async crash(): Promise<void> {
    this.#child.kill('SIGUSR2')
    await this.exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.exited
  }
}

const at = () => Math.floor(Date.now() / 1000) - 60

const change = (more: Record<string, unknown> = {}) => ({
  field: 'marketing_message_reads',
  timestamp: at(),
  message_id: '500',
  messenger_subscription_token: SUBSCRIBER,
  recipient_id: PAGE_SCOPED_ID,
  sender: { id: PAGE_SCOPED_ID },
  marketing_message_tracking_id: 't1',
  mid: MID,
  ...more,
})

test('nothing that is printed, logged, measured or answered with an error tells a secret', async () => {
  using folder = new TemporaryFolder()
  await using database = await openDatabase()
  const env = { READOUT_HASH_KEY: HASH_KEY, READOUT_DATABASE: database.name }
  const said: string[] = []
  const run = async (...args: string[]) => {
    const { stdout, stderr } = await readout(args, env)
    said.push(args[1] === 'create' ? stderr : stdout + stderr)
    return stdout.trim()
  }
  for (const id of ['1', '2'])
    await run(
      'account',
      'add',
      `act_${id}`,
      '--name',
      id,
      '--currency',
      'USD',
      '--time-zone',
      'UTC',
      '--page',
      `90${id}`,
    )
  await run('campaign', 'add', '500', '--account', 'act_1')
  const token = await run('token', 'create', '--account', 'act_1', '--permission', 'write')
  const other = await run('token', 'create', '--account', 'act_2', '--permission', 'read')
  const proof = createHmac('sha256', APP_SECRET).update(token).digest('hex')
  const secrets = [APP_SECRET, VERIFY_TOKEN, METRICS_TOKEN, HASH_KEY, SUBSCRIBER, MID, PAGE_SCOPED_ID, UNKNOWN_TOKEN]
  const database_password = URL.canParse(database.name) ? new URL(database.name).password : ''
  // A short one may be a word that stands everywhere.
  if (database_password.length >= 16) secrets.push(database_password)
  secrets.push(token, other, proof)
  assert.ok(token.length > 40 && other.length > 40)

  const serverEnv = {
    ...env,
    READOUT_APP_SECRET: APP_SECRET,
    READOUT_VERIFY_TOKEN: VERIFY_TOKEN,
    READOUT_METRICS_TOKEN: METRICS_TOKEN,
  }
  await using server = new Watched(['--log-level', 'debug', '--request-limit', '100000'], serverEnv)
  const url = await server.url()
  const statuses = new Set<number>()
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${url}/${path}`, init)
    const body = await response.text()
    statuses.add(response.status)
    if (response.status >= 400) said.push(`${path.split('?')[0]} ${JSON.stringify([...response.headers])} ${body}`)
    return { response, body }
  }

  // Meta, and who pretends to be.
  const handshake = (verify: string) =>
    new URLSearchParams({ 'hub.mode': 'subscribe', 'hub.verify_token': verify, 'hub.challenge': '1' })
  assert.equal((await ask(`webhooks/messenger?${handshake(VERIFY_TOKEN)}`)).response.status, 200)
  await ask(`webhooks/messenger?${handshake(`${VERIFY_TOKEN}x`)}`)
  const post = (body: string, secret = APP_SECRET) => {
    const headers = { 'x-hub-signature-256': formatSignature(Buffer.from(body), secret) }
    return ask('webhooks/messenger', { method: 'POST', body, headers })
  }
  const bodies = [
    change(),
    change({ message_id: '600' }),
    change({ timestamp: 1 }),
    change({ marketing_message_tracking_id: undefined }),
    change({ messenger_subscription_token: SUBSCRIBER.repeat(40) }),
    change({ mid: { id: MID } }),
    change({ field: 'messages' }),
  ].map((one) => JSON.stringify(envelope('901', one)))
  for (const body of bodies) assert.equal((await post(body)).response.status, 200)
  await post(bodies[0] ?? '', 'another secret')
  await post(`${bodies[0]}{`)
  // The answer may come before all of the body is written, and end the connection.
  await post(JSON.stringify(change()).repeat(30_000)).catch(() => undefined)

  // Callers of the API, in good order and not.
  const authorized = { headers: { authorization: `Bearer ${token}` } }
  const mine = `access_token=${token}`
  const fields = 'fields=marketing_messages_read&date_preset=maximum'
  assert.equal((await ask(`v25.0/500/insights?${fields}&${mine}&appsecret_proof=${proof}`)).response.status, 200)
  assert.equal((await ask(`v25.0/500/insights?${fields}`, authorized)).response.status, 200)
  const wrong = [
    `v25.0/500/insights?${mine}&appsecret_proof=${proof}0`,
    `v25.0/500/insights?${mine}&fields=wishes`,
    `v25.0/500/insights?${mine}&date_preset=never`,
    `v25.0/500/insights?${mine}&after=x`,
    `v25.0/500/insights?${mine}&time_range={`,
    `v25.0/500/insights?access_token=${other}`,
    `v25.0/500/insights?access_token=${UNKNOWN_TOKEN}`,
    `v25.0/500/nowhere?${mine}`,
    `v25.0/500/insights/more/than/that?${mine}`,
    `v25.0/99?${mine}`,
    `v25.0/x?${mine}`,
    `v25.0/?ids=500,99&${mine}`,
    `v25.0/me`,
    `v25.0/500`,
    `v25.0/900000000000000001?${mine}`,
    `ads/ads_insights/export_report?report_run_id=1&${mine}`,
    `v25.0/debug_token?input_token=${UNKNOWN_TOKEN}&${mine}`,
    `v25.0/500/insights?${mine}&${'a=1&'.repeat(2100)}`,
    `v25.0/500?${mine}&x=${'x'.repeat(66_000)}`,
    `metrics`,
  ]
  for (const path of wrong) await ask(path)
  await ask(`v25.0/act_2?access_token=${other}`, { method: 'DELETE' })
  await ask(`v25.0/500?${mine}`, { method: 'DELETE', body: 'x'.repeat(1_100_000) }).catch(() => undefined)
  await ask('v25.0/500/insights', { method: 'POST', body: `${mine}&level=x` })
  await ask(`v25.0/act_1/message_campaign`, { method: 'POST', body: `${mine}&id=x` })
  const batch = JSON.stringify([
    { relative_url: `500/insights?${fields}` },
    { relative_url: `99?access_token=${other}` },
    { relative_url: `500/insights?fields=wishes&access_token=${UNKNOWN_TOKEN}` },
  ])
  const { body } = await ask('v25.0/', { method: 'POST', body: new URLSearchParams({ batch, access_token: token }) })
  said.push(
    ...(JSON.parse(body) as { code: number; body: string }[]).filter(({ code }) => code >= 400).map((one) => one.body),
  )
  const { body: ordered } = await ask('v25.0/500/insights', {
    method: 'POST',
    body: `${mine}&${fields}&export_format=csv`,
  })
  const { report_run_id } = JSON.parse(ordered) as { report_run_id: string }
  said.push((await ask(`v25.0/${report_run_id}?${mine}`)).body)
  await ask(`v25.0/${report_run_id}/insights?${mine}&fields=spend`)
  said.push((await ask(`ads/ads_insights/export_report?report_run_id=${report_run_id}&${mine}`)).body)

  // What a caller puts in the wrong place is told to that caller, and stays out of the log all the same.
  for (const path of [
    `v25.0/${token}/insights?${mine}`,
    `v25.0/500/${token}?${mine}`,
    `v25.0/500/insights?fields=${token}&${mine}`,
  ])
    await fetch(`${url}/${path}`)

  const metrics = await ask('metrics', { headers: { authorization: `Bearer ${METRICS_TOKEN}` } })
  assert.match(metrics.body, /readout_facts_total/)
  said.push(metrics.body, (await ask('healthz')).body, (await ask('readyz')).body, (await ask('openapi.json')).body)

  writeFileSync(
    folder.file('facts.ndjson'),
    bodies.join('\n').concat(`\n${JSON.stringify(change({ kind: 'read' }))}\n`),
  )
  writeFileSync(folder.file('people.csv'), `token,country\n${SUBSCRIBER},BR\n${SUBSCRIBER},Nowhere\n`)
  await run('import', folder.file('facts.ndjson'))
  await run('subscribers', 'import', folder.file('people.csv'))
  for (const args of [['status'], ['parked'], ['rejected', 'list'], ['failures', '500'], ['token', 'list'], ['verify']])
    await run(...args)
  await run('insights', '500', '--token', UNKNOWN_TOKEN)
  await run('insights', '500', '--token', token)
  await run('forget', SUBSCRIBER)
  await run('token', 'revoke', UNKNOWN_TOKEN)
  await run('token', 'revoke', other)
  for (const [name, value] of [
    ['HASH_KEY', `${HASH_KEY}0`],
    ['METRICS_TOKEN', `${METRICS_TOKEN} x`],
  ] as const) {
    const { stderr } = await readout(['serve'], { ...env, [`READOUT_${name}`]: value })
    assert.match(stderr, /must/)
    said.push(stderr)
  }

  await server.crash()
  assert.match(server.said, /injected/)
  assert.match(server.said, /refused a webhook/)
  assert.match(server.said, /refused a Graph request/)
  for (const status of [400, 401, 403, 431]) assert.ok(statuses.has(status), `${status} was not answered`)
  assertNone(server.said, secrets, 'the server')
  for (const one of said) assertNone(one, secrets, 'an answer or a command')
})
