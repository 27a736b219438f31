import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestServer } from '../../test/open.ts'
import { hashToken } from '../store/tokens.ts'
import { Deputy, ERRANDS_MAX, ERRANDS_OF_TOKEN_MAX } from './deputy.ts'
import { parsePath } from './path.ts'

test('Deputy answers so many errands at once, of a token and of all, and asks the rest to come again', async () => {
  await using server = await TestServer.open()
  await server.addAccount('1')
  const { database } = server
  await using deputy = new Deputy({ database, meta_history_limit: false }, (cause) => {
    throw cause
  })
  const { account = 0 } = (await server.store.registry.readAccount('1')) ?? {}
  const ask = async (text: string) => {
    const parameters = new Map([['fields', 'name']])
    const call = { method: 'GET', path: parsePath('/v25.0/act_1'), parameters, headers: {}, base_url: '' }
    const token_hash = hashToken(text)
    const token = { token_hash, permission: 'read', created_at: 0, accounts: new Set([account]) } as const
    return deputy.answer({ call, token, now_ms: 0 }).catch(String)
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
