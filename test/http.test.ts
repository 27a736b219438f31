import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { HTTP_LIMITS, type HttpDoor, type HttpLimits, type HttpServer, openHttp } from '../src/http.ts'
import { TestServer } from './open.ts'

const DOOR: HttpDoor = {
  name: 'test',
  body_bytes_max: 1000,
  answer: async ({ body }) => ({ status: 200, headers: {}, body: `read ${body?.length ?? 0}` }),
  answerUnread: () => ({ status: 413, headers: {}, body: 'too long' }),
}

function open(limits: Partial<HttpLimits> = {}, door: HttpDoor = DOOR): Promise<HttpServer> {
  return openHttp({
    host: '127.0.0.1',
    port: 0,
    public_url: undefined,
    doorOf: () => door,
    onAnswer: () => {},
    onFailure: (cause) => assert.fail(String(cause)),
    limits: { ...HTTP_LIMITS, check_every_ms: 20, ...limits },
  })
}

async function connectTo({ url }: HttpServer): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** Sends some bytes, and nothing more; returns what is answered until the server closes the connection. */
async function tell(server: HttpServer, sent: string): Promise<string> {
  const socket = await connectTo(server)
  socket.write(sent)
  return text(socket).catch(String)
}

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\n'

test('openHttp() gives up on senders that are slow, and on connections that rest', async () => {
  const rows: [claim: string, limits: Partial<HttpLimits>, sent: string, answered: RegExp][] = [
    ['headers that do not end', { headers_ms_max: 50, request_ms_max: 100 }, HEAD, /^HTTP\/1.1 408 /],
    [
      'a body that does not end',
      { request_ms_max: 100, headers_ms_max: 100 },
      `${HEAD}Content-Length: 9\r\n\r\nabc`,
      /^HTTP\/1.1 408 /,
    ],
    ['nothing at all', { headers_ms_max: 50, request_ms_max: 100 }, '', /^HTTP\/1.1 408 |^$/],
    ['a connection that is kept', { keep_alive_ms_max: 50 }, `${HEAD}Content-Length: 0\r\n\r\n`, /^HTTP\/1.1 200 /],
  ]
  for (const [claim, limits, sent, answered] of rows) {
    await using server = await open(limits)
    assert.match(await tell(server, sent), answered, claim)
  }
})

test('openHttp() gives up on a caller that does not read', async () => {
  const { promise: letGo, resolve } = Promise.withResolvers<void>()
  async function* makePieces() {
    try {
      for (;;) yield 'x'.repeat(65_536)
    } finally {
      resolve()
    }
  }
  const door: HttpDoor = { ...DOOR, answer: async () => ({ status: 200, headers: {}, body: makePieces() }) }
  await using server = await open({ silence_ms_max: 100 }, door)
  const socket = await connectTo(server)
  socket.write(`${HEAD}Content-Length: 0\r\n\r\n`)
  await letGo
  socket.destroy()
})

test('openHttp() refuses what is too long, in the URL, the headers and the body', async () => {
  await using server = await open()
  const long = 'x'.repeat(HTTP_LIMITS.header_bytes_max)
  const close = 'Connection: close\r\n'
  const rows: [sent: string, answered: RegExp][] = [
    [`GET /${long} HTTP/1.1\r\nHost: a\r\n\r\n`, /^HTTP\/1.1 431 /],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${long}\r\n\r\n`, /^HTTP\/1.1 431 /],
    [`${HEAD}Content-Length: 1001\r\n\r\n`, /^HTTP\/1.1 413 .*too long$/s],
    [`${HEAD}Transfer-Encoding: chunked\r\n\r\n3e9\r\n${'x'.repeat(1001)}\r\n0\r\n\r\n`, /^HTTP\/1.1 413 .*too long$/s],
    [`${HEAD}${close}Content-Length: 1000\r\n\r\n${'x'.repeat(1000)}`, /^HTTP\/1.1 200 .*read 1000$/s],
  ]
  for (const [sent, answered] of rows) assert.match(await tell(server, sent), answered)
})

test('openHttp() takes so many connections at once', async () => {
  await using server = await open({ connections_max: 2 })
  const kept = [await connectTo(server), await connectTo(server)]
  assert.equal(await tell(server, `${HEAD}\r\n`).catch(() => ''), '')
  for (const socket of kept) socket.destroy()
})

const SAFE = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'access-control-allow-origin': null,
}

test('every door tells browsers to keep off, and to keep nothing', async () => {
  await using server = await TestServer.open()
  const paths = [
    'healthz',
    'readyz',
    'metrics',
    'webhooks/messenger',
    'v25.0/me?access_token=x',
    'ads/ads_insights/export_report',
  ]
  for (const path of paths) {
    const { headers } = await fetch(`${server.url}/${path}`, { headers: { origin: 'https://app.example.com' } })
    for (const [name, value] of Object.entries(SAFE)) assert.equal(headers.get(name), value, `${name} of ${path}`)
    assert.match(headers.get('cache-control') ?? '', /no-store/, path)
  }
})

test('--cors-origin lets the pages of that origin read the API, and nothing else', async () => {
  const origin = 'https://app.example.com'
  await using server = await TestServer.open({ cors_origins: [origin] })
  await server.addAccount('1')
  const ask = (path: string, from: string, method = 'GET') =>
    fetch(`${server.url}/${path}`, { method, headers: { origin: from, authorization: 'Bearer token1' } })
  const rows: [path: string, from: string, method: string, status: number, allowed: string | null][] = [
    ['v25.0/act_1', origin, 'GET', 200, origin],
    ['v25.0/act_2', origin, 'GET', 400, origin],
    ['v25.0/act_1', origin, 'OPTIONS', 204, origin],
    ['v25.0/act_1', 'https://app.example.com.evil.example', 'GET', 200, null],
    ['v25.0/act_1', 'null', 'GET', 200, null],
    ['v25.0/act_1', 'https://evil.example', 'OPTIONS', 400, null],
    ['metrics', origin, 'GET', 200, null],
    ['webhooks/messenger', origin, 'OPTIONS', 405, null],
  ]
  for (const [path, from, method, status, allowed] of rows) {
    const response = await ask(path, from, method)
    const { headers } = response
    assert.deepEqual(
      [response.status, headers.get('access-control-allow-origin')],
      [status, allowed],
      `${method} ${path} ${from}`,
    )
    assert.equal(headers.get('access-control-allow-credentials'), null)
    if (path.startsWith('v25.0')) assert.match(headers.get('vary') ?? '', /Origin/)
  }
})

test('/metrics is closed to strangers, and /healthz tells them nothing', async () => {
  const TOKEN = 'a-metrics-token-of-ours'
  const forwarded = { 'x-forwarded-for': '203.0.113.7' }
  const rows: [config: Parameters<typeof TestServer.open>[0], headers: Record<string, string>, status: number][] = [
    [{}, {}, 200],
    [{}, forwarded, 403],
    [{ host: '0.0.0.0' }, {}, 403],
    [{ public_url: 'https://readout.example.com' }, {}, 403],
    [{ metrics_token: TOKEN }, {}, 401],
    [{ metrics_token: TOKEN }, { authorization: `Bearer ${TOKEN}x` }, 401],
    [{ metrics_token: TOKEN, host: '0.0.0.0' }, { ...forwarded, authorization: `Bearer ${TOKEN}` }, 200],
  ]
  for (const [config, headers, status] of rows) {
    await using server = await TestServer.open(config)
    const url = server.url.replace('0.0.0.0', '127.0.0.1')
    const answered = await fetch(`${url}/metrics`, { headers })
    assert.equal(answered.status, status, JSON.stringify([config, headers]))
    assert.equal(await (await fetch(`${url}/healthz`, { headers })).text(), 'ok')
  }
})

test('openHttp() answers a body that its door refuses before it has come, and reads on behind it', async () => {
  const refused: [method: string, bytes: number][] = []
  const door: HttpDoor = {
    ...DOOR,
    body_bytes_max: 1_000_000,
    refuse(method, body_bytes) {
      if (body_bytes <= 1000) return undefined
      refused.push([method, body_bytes])
      return { status: 503, headers: {}, body: 'no place' }
    },
  }
  await using server = await open({}, door)
  const socket = await connectTo(server)
  socket.write(`${HEAD}Content-Length: 500000\r\n\r\n`)
  assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1.1 503 [\s\S]*no place$/)
  socket.write('x'.repeat(500_000))
  socket.end(`${HEAD}Content-Length: 3\r\nConnection: close\r\n\r\nabc`)
  assert.match(await text(socket), /^HTTP\/1.1 200 [\s\S]*read 3$/)
  assert.deepEqual(refused, [['POST', 500_000]])
})

test('openHttp() gives the memory of a body back when it was answered, and not before', async () => {
  const bodies: Uint8Array[] = []
  const read: number[] = []
  const answer: HttpDoor['answer'] = async ({ body = new Uint8Array() }) => {
    await new Promise((resolve) => setImmediate(resolve))
    bodies.push(body)
    read.push(body.length, body.at(-1) ?? -1)
    return { status: 200, headers: {}, body: 'read' }
  }
  await using server = await open({}, { ...DOOR, body_bytes_max: 1_000_000, answer })
  for (const size of [100, 50_000, 300_000]) {
    const response = await fetch(server.url, { method: 'POST', body: 'z'.repeat(size) })
    assert.equal(await response.text(), 'read')
  }
  assert.deepEqual(read, [100, 122, 50_000, 122, 300_000, 122])
  assert.deepEqual(
    bodies.map(({ length }) => length),
    [100, 0, 0],
  )
})
