import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { HTTP_LIMITS, type HttpDoor, type HttpRequest, type HttpServer, openHttp } from './http.ts'

const BODY_BYTES = 4 * 1_048_576

/** More than the operating system takes for a reader who does not read. */
const ANSWER_LENGTH = 16 * 1_048_576

/** Takes bodies, and answers with one of a length; what it refuses it says in the status. */
const door: HttpDoor = {
  name: 'test',
  body_bytes_max: BODY_BYTES,
  answer: async ({ body }) => ({ status: 200, headers: {}, body: body ? 'taken' : 'x'.repeat(ANSWER_LENGTH) }),
  answerUnread: (why) => ({ status: why === 'crowded' ? 503 : 413, headers: {}, body: why }),
}

function open(opened: HttpDoor = door): Promise<HttpServer> {
  const onFailure = (cause: unknown) => assert.fail(String(cause))
  return openHttp({
    host: '127.0.0.1',
    port: 0,
    public_url: undefined,
    doorOf: () => opened,
    onAnswer: () => {},
    onFailure,
  })
}

/** A connection that the test writes to and reads from itself. */
async function connectTo({ url }: HttpServer): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  // One that is let go may be reset.
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

async function write(socket: Socket, bytes: string | Buffer): Promise<void> {
  await new Promise((resolve) => socket.write(bytes, resolve))
}

test('openHttp() answers 503 to the body that has been longest on its way when too many are', {
  timeout: 20_000,
}, async () => {
  await using server = await open()
  const senders: Socket[] = []
  const statuses: Promise<string>[] = []
  const most = Buffer.alloc(BODY_BYTES - 1)
  // As many as fit, and one.
  for (let bytes = 0; bytes <= HTTP_LIMITS.bodies_bytes_max; bytes += most.length) {
    const socket = await connectTo(server)
    senders.push(socket)
    statuses.push(once(socket, 'data').then(([data]) => String(data).slice(9, 12)))
    await write(socket, `POST / HTTP/1.1\r\nhost: test\r\ncontent-length: ${BODY_BYTES}\r\n\r\n`)
    await write(socket, most)
  }
  assert.equal(await statuses[0], '503')
  for (const socket of senders.slice(1)) await write(socket, 'x')
  assert.deepEqual(new Set(await Promise.all(statuses.slice(1))), new Set(['200']))
  for (const socket of senders) socket.destroy()
})

test('openHttp() takes large bodies in one by one, though they come together', { timeout: 20_000 }, async () => {
  let turn = 0
  let isCounting = false
  const turns: number[] = []
  const count = () => {
    turn++
    if (isCounting) setImmediate(count)
  }
  const answer = async (request: HttpRequest) => {
    if (isCounting) turns.push(turn)
    return door.answer(request)
  }
  await using server = await open({ ...door, answer })
  const senders = await Promise.all(Array.from({ length: 16 }, () => connectTo(server)))
  const send = async (body: string) => {
    const answers = senders.map((socket) => once(socket, 'data'))
    const request = `POST / HTTP/1.1\r\nhost: test\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    for (const socket of senders) socket.write(request)
    await Promise.all(answers)
  }
  // Every connection is there before the bodies come.
  await send('small')
  isCounting = true
  count()
  await send('x'.repeat(100_000))
  isCounting = false
  // The end of one may come late, and together with that of another.
  const together = Math.max(...Object.values(Object.groupBy(turns, String)).map((these) => these?.length ?? 0))
  assert.ok(together <= 4, `${together} bodies were answered in one turn`)
  for (const socket of senders) socket.destroy()
})

test('openHttp() ends the connection of a body that it has not read', async () => {
  await using server = await open()
  const socket = await connectTo(server)
  await write(socket, `POST / HTTP/1.1\r\nhost: test\r\ncontent-length: ${BODY_BYTES + 1}\r\n\r\n`)
  const [data] = await once(socket, 'data')
  assert.match(String(data), /^HTTP\/1\.1 413 .*\r\nconnection: close\r\n/is)
  socket.destroy()
})

test('openHttp() cuts off the answer that has waited longest to be taken when too many do', {
  timeout: 20_000,
}, async () => {
  await using server = await open()
  const readers: Socket[] = []
  for (let length = 0; length <= HTTP_LIMITS.answers_length_max; length += ANSWER_LENGTH) {
    const socket = await connectTo(server)
    readers.push(socket)
    await write(socket, 'GET / HTTP/1.1\r\nhost: test\r\n\r\n')
    // The first bytes are there, so the answer is under way; the rest waits for whoever reads it.
    await once(socket, 'readable')
  }
  const lengths = await Promise.all(readers.map(readToEnd))
  const [first = 0, ...others] = lengths
  assert.ok(first < ANSWER_LENGTH, 'the longest waiting reader still got its answer')
  for (const length of others) assert.ok(length > ANSWER_LENGTH, `an answer ended after ${length} bytes`)
})

const READ_MS_MAX = 5000

/** The bytes that come until the answer is whole, or the connection ends. */
async function readToEnd(socket: Socket): Promise<number> {
  let length = 0
  const ended = new Promise<void>((resolve) => {
    socket.on('data', (data) => {
      length += data.length
      if (length > ANSWER_LENGTH) resolve()
    })
    socket.once('close', resolve)
  })
  await Promise.race([ended, wait(READ_MS_MAX, undefined, { ref: false })])
  socket.destroy()
  return length
}
