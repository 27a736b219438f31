import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, test } from 'node:test'
import { type Asked, askDoor, doorOf, NOW, openTenants, TOKEN } from '../../test/tenants.ts'
import type { GraphDoor } from './answer.ts'
import type { GraphError } from './error.ts'
import { RequestLimit } from './request-limit.ts'

const store = await openTenants()
after(() => store[Symbol.asyncDispose]())

const ask = (url: string, asked: Asked = {}, door = doorOf(store)) => askDoor(door, url, asked)

const PROOF = createHmac('sha256', 'secret').update(TOKEN).digest('hex')

test('answer() checks appsecret_proof where it has a secret, and wants it where it is told to', async () => {
  const told = async (query: string, known: Partial<GraphDoor>) => {
    const { status, body } = await ask(`/v25.0/11?${query}`, {}, doorOf(store, known))
    const { error } = JSON.parse(body)
    return error === undefined ? status : [status, error.code, error.type, error.message]
  }
  const app_secrets = ['another', 'secret']
  const wrong = [400, 100, 'GraphMethodException', 'Invalid appsecret_proof provided in the API argument']
  const missing = [400, 100, 'GraphMethodException', 'API calls from the server require an appsecret_proof argument']
  assert.equal(await told(`appsecret_proof=${PROOF}`, { app_secrets }), 200)
  assert.equal(await told('', { app_secrets }), 200)
  assert.deepEqual(await told(`appsecret_proof=${PROOF.toUpperCase()}`, { app_secrets }), wrong)
  assert.deepEqual(await told('appsecret_proof=x', { app_secrets }), wrong)
  assert.equal(await told('appsecret_proof=x', {}), 200)
  assert.equal(await told(`appsecret_proof=${PROOF}`, { app_secrets, require_appsecret_proof: true }), 200)
  assert.deepEqual(await told('', { app_secrets, require_appsecret_proof: true }), missing)
})

test('answer() refuses a token past its limit as Meta does, and lets it call again an hour later', async () => {
  let now = NOW
  const known = { request_limit: new RequestLimit(3), now: () => now }
  const door = doorOf(store, known)
  const read = () => ask('/v25.0/11/insights', {}, door)
  const used = [await read(), await read(), await read()].map(({ headers }) => JSON.parse(headers['x-app-usage'] ?? ''))
  assert.deepEqual(
    used.map(({ call_count }) => call_count),
    [33, 66, 100],
  )
  const { status, headers, body } = await read()
  assert.equal(status, 400)
  assert.deepEqual(JSON.parse(body).error, {
    message: 'User request limit reached',
    type: 'OAuthException',
    code: 17,
    error_subcode: 2446079,
    is_transient: false,
    error_user_title: 'Ad Account Has Too Many API Calls',
    error_user_msg: 'There have been too many calls from this ad-account. Please wait a bit and try again.',
    fbtrace_id: 'A-trace',
  })
  assert.deepEqual(JSON.parse(headers['x-app-usage'] ?? ''), { call_count: 100, total_time: 0, total_cputime: 0 })
  const account = { acc_id_util_pct: 100, reset_time_duration: 3600, ads_api_access_tier: 'standard_access' }
  assert.deepEqual(JSON.parse(headers['x-ad-account-usage'] ?? ''), account)
  assert.equal((await ask('/v25.0/21/insights?access_token=EAA-two', {}, door)).status, 200)
  now = NOW.add({ hours: 1 })
  assert.equal((await read()).status, 200)
})

test('answer() names every refusal to the log', async () => {
  const refusals: unknown[] = []
  const onRefusal = ({ kind: { code } }: GraphError, fbtrace_id: string) => refusals.push([code, fbtrace_id])
  await ask('/v25.0/99', {}, doorOf(store, { onRefusal }))
  await ask('/v99.0/99', {}, doorOf(store, { onRefusal }))
  assert.deepEqual(refusals, [
    [100, 'A-trace'],
    [2500, 'A-trace'],
  ])
})
