import { GraphError, INVALID_PARAMETER } from './error.ts'
import { PAIRS_MAX, tooManyPairs } from './parameters.ts'
import type { GraphRequest } from './request.ts'

export function isMultipart({ headers }: GraphRequest): boolean {
  return /^multipart\/form-data\b/i.test(headers['content-type'] ?? '')
}

/** A request whose multipart body, as `curl -F` sends one, stands as a form; files in it are left out. */
export async function formOfMultipart(request: GraphRequest): Promise<GraphRequest> {
  const { body = new Uint8Array(), headers } = request
  const form = await parseMultipart(body, headers['content-type'] ?? '')
  const fields = [...form].filter((field): field is [string, string] => typeof field[1] === 'string')
  const text = new URLSearchParams(fields).toString()
  return {
    ...request,
    body: Buffer.from(text),
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
  }
}

const BOUNDARY = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i

/** Throws for more parts than a form may have, before any of them is taken apart. */
function checkParts(body: Uint8Array, content_type: string): void {
  const [, quoted, plain] = BOUNDARY.exec(content_type) ?? []
  const mark = Buffer.from(`--${quoted ?? plain ?? ''}`)
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
  let parts = -1
  for (let at = bytes.indexOf(mark); at >= 0 && parts <= PAIRS_MAX; at = bytes.indexOf(mark, at + mark.length)) parts++
  if (parts > PAIRS_MAX) throw tooManyPairs()
}

async function parseMultipart(body: Uint8Array, content_type: string): Promise<FormData> {
  checkParts(body, content_type)
  try {
    return await new Response(Buffer.from(body), { headers: { 'content-type': content_type } }).formData()
  } catch {
    throw new GraphError(
      INVALID_PARAMETER,
      'The request body is not the multipart/form-data that its Content-Type says',
    )
  }
}
