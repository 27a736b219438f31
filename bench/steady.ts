import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** What requests at a steady rate came to. */
export interface Steady {
  /** How long each answer 200 took, from when its request was due, in the order in which they came. */
  readonly took_ms: readonly number[]
  /** Answered with anything but 200. */
  readonly refused: number
  readonly seconds: number
}

const CONNECTIONS = 64
const EVERY_MS = 1

/**
 * Sends requests at a steady rate, whether the server keeps up or not: a request whose connections are all waiting for answers
 * waits too, and its time runs. Each is the bytes of a whole request; the answer must come in one piece, as a short one does.
 */
export async function sendSteadily(url: string, requests: readonly Buffer[], per_s: number): Promise<Steady> {
  const { hostname, port } = new URL(url)
  const free = await Promise.all(Array.from({ length: CONNECTIONS }, () => openConnection(hostname, Number(port))))
  const all = [...free]
  const started_ms = performance.now()
  const took_ms: number[] = []
  let refused = 0
  let sent = 0
  const { promise: answered, resolve, reject } = Promise.withResolvers<void>()

  const sendDue = () => {
    const due = Math.min(((performance.now() - started_ms) / 1000) * per_s, requests.length)
    while (sent < due && free.length > 0) send(free.pop() as Socket, requests[sent] as Buffer, sent++)
  }
  const send = (socket: Socket, request: Buffer, place: number) => {
    socket.once('data', (answer: Buffer) => {
      if (answer.toString('latin1', 0, 13) === 'HTTP/1.1 200 ') {
        took_ms.push(performance.now() - started_ms - (place * 1000) / per_s)
      } else refused++
      free.push(socket)
      if (took_ms.length + refused === requests.length) resolve()
      else sendDue()
    })
    socket.write(request)
  }
  for (const socket of all) socket.once('error', reject)
  const timer = setInterval(sendDue, EVERY_MS)
  try {
    await answered
    return { took_ms, refused, seconds: (performance.now() - started_ms) / 1000 }
  } finally {
    clearInterval(timer)
    for (const socket of all) socket.destroy()
  }
}

async function openConnection(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  return socket
}
