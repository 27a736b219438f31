import { createHmac } from 'node:crypto'

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { medianOf } from './median.ts'

const ROUNDS = 3

/** The limit beside every figure of facts a second. */
export const PARSE_LIMIT = 'parse + HMAC, one thread'

/** One JSON text, as a webhook is. */
export function parseBody(text: string): void {
  JSON.parse(text)
}

/** One JSON text a line, as an import is. */
export function parseLines(text: string): void {
  for (const line of text.split('\n')) if (line !== '') JSON.parse(line)
}

/**
 * How many facts a second one thread comes to that only checks HMAC-SHA256 over these bytes and parses them: the median
 * of three rounds, each of whole passes that last `limit_ms` or longer.
 */
export function measureParseLimit(
  bodies: readonly Buffer[],
  facts: number,
  parse: (text: string) => void,
  limit_ms: number,
): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const started_ms = performance.now()
    let passes = 0
    while (performance.now() - started_ms < limit_ms) {
      for (const body of bodies) {
        createHmac('sha256', 'bench').update(body).digest()
        parse(body.toString('utf8'))
      }
      passes++
    }
    return (passes * facts * 1000) / (performance.now() - started_ms)
  })
  return medianOf(rounds)
}

/** One page of the log. */
export const SYNCED_BYTES = 4096

const SYNCS = 200

/** How many milliseconds the disk takes in the median for a sync of a file that grew by a page: no acknowledgement comes sooner. */
export function measureSync(folder: string): number {
  const fd = openSync(join(folder, 'synced'), 'w')
  const page = Buffer.alloc(SYNCED_BYTES, 1)
  const took_ms = Array.from({ length: SYNCS }, () => {
    const started_ms = performance.now()
    writeSync(fd, page)
    fdatasyncSync(fd)
    return performance.now() - started_ms
  })
  closeSync(fd)
  return medianOf(took_ms)
}
