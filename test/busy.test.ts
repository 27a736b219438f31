import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashToken } from '../src/store/tokens.ts'
import { holdWriting } from './database.ts'
import { TestServer } from './open.ts'

test('an act of the API that cannot be stored now is answered as one that may come again', async () => {
  await using server = await TestServer.open()
  await server.addAccount('1')
  await server.addCampaign('500', '1')
  await server.store.write(async ({ registry, tokens }) => {
    const { account = 0 } = (await registry.readAccount('1')) ?? {}
    const token_hash = hashToken('writer')
    await tokens.add({ token_hash, permission: 'write', created_at: 0, accounts: new Set([account]) })
  })
  const remove = () => fetch(`${server.url}/v25.0/500?access_token=writer`, { method: 'DELETE' })
  await using holding = await holdWriting(server.database)
  const refused = await remove()
  const { error } = (await refused.json()) as { error: Record<string, unknown> }
  assert.deepEqual([refused.status, error.code, error.error_subcode], [503, 2, 1504043])
  assert.equal(error.message, 'Service temporarily unavailable')
  await holding.release()
  assert.equal((await remove()).status, 200)
})
