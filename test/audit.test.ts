import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'

const AUDIT = join(import.meta.dirname, '../.ci/audit')

const HOLE = { id: 1, url: 'https://example.com', title: 'A hole', severity: 'high', vulnerable_versions: '*', cwe: [] }

/** Runs the audit against a registry that gives this answer when it is asked for holes. */
async function audit(status: number, body: object): Promise<[code: number, said: string]> {
  const registry = createServer(({ method }, res) => {
    const isAsked = method === 'POST'
    res.writeHead(isAsked ? status : 404, { 'content-type': 'application/json' })
    res.end(JSON.stringify(isAsked ? body : {}))
  })
  await once(registry.listen(0, '127.0.0.1'), 'listening')
  const { port } = registry.address() as AddressInfo
  const env = { ...process.env, npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_fetch_retries: '0' }
  try {
    return await new Promise((resolve) => {
      execFile('sh', [AUDIT], { env }, (error, stdout) => resolve([error === null ? 0 : Number(error.code), stdout]))
    })
  } finally {
    registry.closeAllConnections()
    registry.close()
  }
}

test('.ci/audit fails on a known hole, and says when nobody could be asked', async () => {
  const [found, said] = await audit(200, { pino: [{ ...HOLE, cvss: { score: 9, vectorString: null } }] })
  assert.equal(found, 1, said)
  assert.match(said, /^audit: pino: high\naudit: holes are known /)
  assert.deepEqual((await audit(200, {}))[0], 0)
  const [skipped, why] = await audit(405, {})
  assert.equal(skipped, 0)
  assert.match(why, /^audit: SKIPPED, the registry did not answer: /)
})
