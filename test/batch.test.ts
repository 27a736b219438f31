import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ANSWER_LENGTH_MAX } from '../src/graph/errand.ts'
import { NOW, TestServer } from './open.ts'

const server = await TestServer.open()
after(() => server[Symbol.asyncDispose]())
await server.addAccount('1', { name: 'One' })
await server.addAccount('2', { name: 'Two' })
await server.addToken('write1', '1', 'write')
for (const id of ['500', '501']) await server.addCampaign(id, '1')
await server.addCampaign('600', '2')

interface Item {
  readonly code: number
  readonly headers?: readonly { name: string; value: string }[]
  readonly body: string
}

/** Posts a batch as the Python SDK does. */
async function post(items: unknown, query = 'access_token=token1'): Promise<(Item | null)[]> {
  const form = new URLSearchParams({ batch: JSON.stringify(items), include_headers: 'false' })
  const response = await fetch(`${server.url}/v25.0/?${query}`, { method: 'POST', body: form })
  assert.equal(response.status, 200)
  return (await response.json()) as (Item | null)[]
}

const get = (relative_url: string, more: object = {}) => ({ method: 'GET', relative_url, ...more })

/** Code and parsed body of each item. */
async function told(items: readonly object[], query?: string) {
  return (await post(items, query)).map((item) => item && [item.code, JSON.parse(item.body)])
}

test('a batch answers its items in their order, each as if it were asked alone', async () => {
  const answers = await told([
    get('act_1?fields=name'),
    get('v24.0/500/'),
    get('500?fields=%5B%22name%22%5D'),
    get('act_1/campaigns?filtering=[{"field":"id","operator":"IN","value":["501"]}]&limit=1&fields=id'),
    get('600'),
    get('nope/insights?fields=a'),
  ])
  assert.deepEqual(answers.slice(0, 3), [
    [200, { name: 'One', id: 'act_1' }],
    [200, { id: '500' }],
    [200, { name: '500', id: '500' }],
  ])
  assert.deepEqual(answers[3]?.[1].data, [{ id: '501' }])
  assert.deepEqual([answers[4]?.[0], answers[4]?.[1].error.code], [400, 100])
  assert.deepEqual([answers[5]?.[0], answers[5]?.[1].error.code], [400, 803])
})

test('a batch comes as a JSON body too, and its items carry headers unless told not to', async () => {
  const response = await fetch(`${server.url}/v24.0?access_token=token1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ batch: [get('me?fields=name'), get('act_1/ads?limit=1')] }),
  })
  const [me, ads] = (await response.json()) as Item[]
  const version = me?.headers?.find(({ name }) => name === 'facebook-api-version')
  assert.equal(version?.value, 'v24.0')
  assert.match(JSON.parse(ads?.body ?? '').paging.next, /\/v24\.0\/act_1\/ads\?.*access_token=token1/)
  assert.equal((await post([get('me')]))[0]?.headers, undefined)
})

test('an item is made of the results of those before it, which are left out unless wanted', async () => {
  const first = { name: 'all', ...get('act_1/campaigns?limit=5') }
  const [omitted, many] = await told([first, get('?ids={result=all:$.data.*.id}&fields=name')])
  assert.deepEqual(
    [omitted, many],
    [null, [200, { '500': { name: '500', id: '500' }, '501': { name: '501', id: '501' } }]],
  )
  const [kept, one] = await told([
    { ...first, omit_response_on_success: false },
    get(encodeURIComponent('{result=all:$.data[1].id}')),
  ])
  assert.deepEqual([kept?.[0], one], [200, [200, { id: '501' }]])
  const [failed, lacking] = await told([{ name: 'a', ...get('600') }, get('{result=a:$.id}/insights')])
  assert.deepEqual(
    [failed?.[0], lacking?.[1].error.message],
    [400, '(#100) batch item a has no result that another could be made of'],
  )
})

test('an item has a token of its own, or that of the batch', async () => {
  const [own, outer, inBody] = await told([
    get('600', { access_token: 'token2' }),
    get('act_1?access_token=token1'),
    { method: 'POST', relative_url: 'act_1/message_campaign', body: 'id=502&name=Made+here&access_token=write1' },
  ])
  assert.deepEqual(
    [own, outer, inBody],
    [
      [200, { id: '600' }],
      [200, { account_id: '1', id: 'act_1' }],
      [200, { id: '502' }],
    ],
  )
  assert.deepEqual(await told([{ method: 'DELETE', relative_url: '502' }], 'access_token=write1'), [
    [200, { success: true }],
  ])
  assert.equal((await told([{ method: 'DELETE', relative_url: '500' }]))[0]?.[0], 403)
  const headers = { authorization: 'Bearer token1' }
  const body = new URLSearchParams({ batch: JSON.stringify([get('act_1'), get('600?access_token=token2')]) })
  const response = await fetch(`${server.url}/v25.0`, { method: 'POST', headers, body })
  assert.deepEqual(
    ((await response.json()) as Item[]).map(({ code }) => code),
    [200, 200],
  )
})

test('an item is answered with 304 when it names the ETag of its answer', async () => {
  const response = await fetch(`${server.url}/v25.0/500?access_token=token1`)
  const item = get('500', { headers: [`If-None-Match: ${response.headers.get('etag')}`] })
  assert.deepEqual(await post([item]), [{ code: 304, body: '' }])
})

test('a batch needs a token itself, and counts as many calls as it has items', async () => {
  const none = await fetch(`${server.url}/v25.0/`, { method: 'POST', body: new URLSearchParams({ batch: '[]' }) })
  assert.equal(((await none.json()) as { error: { code: number } }).error.code, 104)
  await using limited = await TestServer.open({ request_limit: 3, now: () => NOW })
  await limited.addAccount('1')
  const body = new URLSearchParams({ batch: JSON.stringify([1, 2, 3, 4].map(() => get('me'))), access_token: 'token1' })
  const response = await fetch(`${limited.url}/v25.0/`, { method: 'POST', body })
  const answers = (await response.json()) as Item[]
  assert.deepEqual(
    answers.map(({ code }) => code),
    [200, 200, 200, 400],
  )
  const waits = answers.map(({ headers = [] }) => headers.find(({ name }) => name === 'retry-after')?.value)
  assert.deepEqual(waits, [undefined, undefined, undefined, '3600'])
})

test('an item that is no object fails alone', async () => {
  const answers = await post([get('me?fields=id'), null, 'me', 7, get('act_1?fields=name')])
  assert.deepEqual(
    answers.map((item) => item?.code),
    [200, 400, 400, 400, 200],
  )
  assert.match(answers[1]?.body ?? '', /a batch item must be an object/)
})

test('a relative URL may be percent-encoded as a whole', async () => {
  const urls = ['act_1/campaigns?fields=name&limit=1', 'v24.0/500?fields=["name"]', '?ids=500&fields=name', 'act_1/ads']
  const [raw, encoded] = [urls, urls.map(encodeURIComponent)].map((all) => told(all.map((url) => get(url))))
  const plain = (await raw)?.map((item) => JSON.stringify(item))
  assert.ok(plain?.every((item) => item.startsWith('[200')))
  assert.deepEqual(
    (await encoded)?.map((item) => JSON.stringify(item)),
    plain,
  )
})

test('a batch item is made of no more than so much of the results before it', async () => {
  const accounts = get('act_1?fields=name', { name: 'one' })
  const references = (count: number, path: string) => `me?fields=id&x=${`{result=one:${path}}`.repeat(count)}`
  const [, many, ...rest] = await told([accounts, get(references(51, '$.id'))])
  assert.deepEqual(rest, [])
  assert.match(many?.[1].error.message, /a batch item has more than 50 references from other results/)
  assert.equal((await told([accounts, get(references(50, '$.id'))]))[1]?.[0], 200)
  await server.addAccount('9', { name: 'n'.repeat(200_000) })
  const long = get('act_9?fields=name', { name: 'one' })
  const [, full] = await told([long, get(references(6, '$.name'))], 'access_token=token9')
  assert.match(full?.[1].error.message, /a batch item takes more than 1048576 characters from other results/)
})

test('what a batch would answer past its length is refused item by item', async () => {
  const answers = await told(Array(50).fill(get('act_9?fields=name')), 'access_token=token9')
  const codes = answers.map((one) => one?.[0])
  const answered = Math.floor(ANSWER_LENGTH_MAX / 200_030)
  assert.deepEqual([codes.indexOf(500), new Set(codes.slice(answered))], [answered, new Set([500])])
  assert.match(answers.at(-1)?.[1].error.message, /Please reduce the amount of data/)
})
