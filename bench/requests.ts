import { closeSync, openSync, writeFileSync } from 'node:fs'

/** Bytes that are written at once. */
const CHUNK_BYTES = 1_048_576

/** Writes requests to a file that `requests.lua` reads. */
export function writeRequests(file: string, requests: Iterable<Buffer>): void {
  const out = openSync(file, 'w')
  try {
    let chunk: Buffer[] = []
    let bytes = 0
    for (const request of requests) {
      chunk.push(Buffer.from(`${request.length}\n`), request)
      bytes += request.length
      if (bytes < CHUNK_BYTES) continue
      writeFileSync(out, Buffer.concat(chunk))
      chunk = []
      bytes = 0
    }
    writeFileSync(out, Buffer.concat(chunk))
  } finally {
    closeSync(out)
  }
}

/** A request as it goes over the wire. */
export function formatRequest(
  line: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer = Buffer.alloc(0),
): Buffer {
  const head = [`${line} HTTP/1.1`, 'host: 127.0.0.1', ...Object.entries(headers).map((pair) => pair.join(': '))]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
}
