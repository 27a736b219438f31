import { createHmac } from 'node:crypto'

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
  return rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] as number
}
