import assert from 'node:assert/strict'
import { test } from 'node:test'
import { API_VERSIONS, parsePath, servedVersion } from './path.ts'

test('parsePath() reads versions, ids and edges between any number of slashes', () => {
  const rows: [path: string, version: string, id: string | undefined, edge: string | undefined, normal: string][] = [
    ['/v25.0/act_1/insights', 'v25.0', 'act_1', 'insights', '/v25.0/act_1/insights'],
    ['/v25.0/act_1/', 'v25.0', 'act_1', undefined, '/v25.0/act_1'],
    ['/v25.0/6001/insights/', 'v25.0', '6001', 'insights', '/v25.0/6001/insights'],
    ['//v25.0//6001//insights//', 'v25.0', '6001', 'insights', '/v25.0/6001/insights'],
    ['/6001/insights', 'v16.0', '6001', 'insights', '/6001/insights'],
    ['/v25.0//', 'v25.0', undefined, undefined, '/v25.0'],
    ['/', 'v16.0', undefined, undefined, '/'],
    ['', 'v16.0', undefined, undefined, '/'],
    ['/me/insights', 'v16.0', 'me', 'insights', '/me/insights'],
    ['/v25/insights', 'v16.0', 'v25', 'insights', '/v25/insights'],
  ]
  for (const [path, version, id, edge, normal] of rows) {
    const named = /^\/v\d+\.\d+/.exec(normal)?.[0] ?? ''
    assert.deepEqual(parsePath(path), { id, edge, version: named, served_version: version, normal }, path)
    assert.equal(servedVersion(path), version, path)
  }
})

test('servedVersion() knows v16.0 to v26.0', () => {
  assert.deepEqual([API_VERSIONS.length, API_VERSIONS.at(0), API_VERSIONS.at(-1)], [11, 'v16.0', 'v26.0'])
  for (const version of API_VERSIONS) assert.equal(servedVersion(`/${version}/1/insights`), version)
})

test('parsePath() names the components that it does not know', () => {
  const rows: [path: string, components: string][] = [
    ['/v99.0/1/insights', '/v99.0/1/insights'],
    ['/v15.0', '/v15.0'],
    ['/v25.1//1/', '/v25.1/1'],
    ['/v25.0/1/insights/x/y', '/x/y'],
    ['/1/insights/x', '/x'],
  ]
  for (const [path, components] of rows) {
    assert.throws(() => parsePath(path), { name: 'GraphError', message: `Unknown path components: ${components}` })
  }
})
