import type { IncomingMessage } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { InFlight } from './in-flight.ts'

/** A body is longer than its door takes, or was let go because too many come in at once and it has been longest at it. */
export type Unread = 'oversized' | 'crowded'

/** Lets a body go that is still on its way in. */
export type LetGo = (why: 'crowded') => void

/** Whether a request brings anything. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

/** Reads a body, which counts among those on their way in until it is there; or says why it was not read to its end. */
export async function readBody(
  req: IncomingMessage,
  bytes_max: number,
  bodies: InFlight<LetGo>,
): Promise<Uint8Array | Unread | 'aborted'> {
  const length = Number(req.headers['content-length'])
  if (length > bytes_max) return 'oversized'
  if (length >= LARGE_BYTES_MIN) await turnOfLarge()
  // Whoever has left meanwhile says no more of it.
  if (req.destroyed) return 'aborted'
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const settle = (body: Uint8Array | Unread | 'aborted') => {
      // What comes after is dropped as it comes.
      req.off('data', take)
      for (const chunk of chunks) if (chunk !== body) free(chunk)
      chunks.length = 0
      bodies.release(settle)
      resolve(body)
    }
    const take = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bytes_max) return settle('oversized')
      chunks.push(chunk)
      // What came as a whole is not on its way any more: most webhooks never go through the map, which would keep them longer.
      if (bytes !== length) bodies.hold(settle, chunk.length)
    }
    req.on('data', take)
    req.once('end', () => settle(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    req.once('close', () => settle('aborted'))
  })
}

/** From here on, taking a body in, and checking it, holds up whoever waits for an answer. */
const LARGE_BYTES_MIN = 65_536

let lastTurn: Promise<unknown> = Promise.resolve()

/**
 * Each turn of the event loop begins one large body. Senders whose bodies were committed together send the next together: an
 * answer would have to wait for all of them.
 */
function turnOfLarge(): Promise<unknown> {
  lastTurn = lastTurn.then(() => nextTurn())
  return lastTurn
}

/** What is smaller is not worth the call. */
const FREED_BYTES_MIN = 16_384

/**
 * Gives the memory of bytes back that nobody looks at any more. Left to the garbage collector they would cost far more: it
 * looks through the whole heap whenever a few dozen megabytes of them have come, and every answer waits.
 */
export function free({ buffer, byteLength }: Uint8Array): void {
  const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
  if (isWhole && byteLength >= FREED_BYTES_MIN) buffer.transfer(0)
}
