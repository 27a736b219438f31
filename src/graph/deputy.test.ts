import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestServer } from '../../test/open.ts'
import { hashToken } from '../store/tokens.ts'
import { Deputy, ERRAND_WAIT_MS_MAX, ERRANDS_MAX, ERRANDS_OF_TOKEN_MAX } from './deputy.ts'
import { parsePath } from './path.ts'

test('Deputy answers so many errands at once, of a token and of all, and asks the rest to come again', async () => {
  await using server = await TestServer.open()
  await server.addAccount('1')
  const { database } = server
  await using deputy = new Deputy(
    { database, meta_history_limit: false },
    () => 0,
    (cause) => {
      throw cause
    },
  )
  const { account = 0 } = (await server.store.registry.readAccount('1')) ?? {}
  const ask = async (text: string) => {
    const parameters = new Map([['fields', 'name']])
    const call = { method: 'GET', path: parsePath('/v25.0/act_1'), parameters, headers: {}, base_url: '' }
    const token_hash = hashToken(text)
    const token = { token_hash, permission: 'read', created_at: 0, accounts: new Set([account]) } as const
    return deputy.answer({ call, token, now_ms: 0, run_id: '900000000000000001' }).then(({ body }) => body, String)
  }
  const told = (answers: string[]) =>
    [...Map.groupBy(answers, (answer) => answer)].map(([text, all]) => [text, all.length])
  const answer = '{"name":"1","id":"act_1"}'
  const refused = 'GraphError: Service temporarily unavailable'
  const ofOne = Array.from({ length: ERRANDS_OF_TOKEN_MAX + 2 }, () => ask('one'))
  const ofAll = Array.from({ length: ERRANDS_MAX }, (_, i) => ask(`another ${i}`))
  assert.deepEqual(told(await Promise.all(ofOne)), [
    [answer, ERRANDS_OF_TOKEN_MAX],
    [refused, 2],
  ])
  assert.deepEqual(told(await Promise.all(ofAll)), [
    [answer, ERRANDS_MAX - ERRANDS_OF_TOKEN_MAX],
    [refused, ERRANDS_OF_TOKEN_MAX],
  ])
  assert.equal(await ask('one'), answer, 'those that were answered make room')
})

test('Deputy answers each as soon as it is read, one token after another, and none that has waited too long', async () => {
  await using server = await TestServer.open()
  await server.addAccount('1')
  const { database } = server
  let now_ms = 0
  await using deputy = new Deputy({ database, meta_history_limit: false }, () => now_ms, assert.ifError)
  const { account = 0 } = (await server.store.registry.readAccount('1')) ?? {}
  const told: string[] = []
  const ask = (token_hash: string, name: string) => {
    const call = { method: 'GET', path: parsePath('/v25.0/act_1'), parameters: new Map(), headers: {}, base_url: '' }
    const token = { token_hash, permission: 'read', created_at: 0, accounts: new Set([account]) } as const
    const answer = deputy.answer({ call, token, now_ms: 0, run_id: '900000000000000001' })
    return answer.then(
      () => told.push(name),
      () => told.push(`${name} refused`),
    )
  }
  await Promise.all([ask('a', 'a1'), ask('a', 'a2'), ask('a', 'a3'), ask('b', 'b1'), ask('c', 'c1')])
  assert.deepEqual(told, ['a1', 'b1', 'a2', 'c1', 'a3'])
  const late = [ask('a', 'a4'), ask('a', 'a5')]
  now_ms = ERRAND_WAIT_MS_MAX + 1
  await Promise.all(late)
  assert.deepEqual(told.slice(5), ['a4', 'a5 refused'])
})
