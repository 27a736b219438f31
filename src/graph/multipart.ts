import { GraphError, INVALID_PARAMETER } from './error.ts'
import type { GraphRequest } from './request.ts'

/** A request whose multipart body, as `curl -F` sends one, stands as a form; files in it are left out. */
export async function formOfMultipart(request: GraphRequest): Promise<GraphRequest> {
  const content_type = request.headers['content-type'] ?? ''
  if (request.body === undefined || !/^multipart\/form-data\b/i.test(content_type)) return request
  const form = await parseMultipart(request.body, content_type)
  const fields = [...form].filter((field): field is [string, string] => typeof field[1] === 'string')
  const body = Buffer.from(new URLSearchParams(fields).toString())
  return { ...request, body, headers: { ...request.headers, 'content-type': 'application/x-www-form-urlencoded' } }
}

async function parseMultipart(body: Uint8Array, content_type: string): Promise<FormData> {
  try {
    return await new Response(Buffer.from(body), { headers: { 'content-type': content_type } }).formData()
  } catch {
    throw new GraphError(
      INVALID_PARAMETER,
      'The request body is not the multipart/form-data that its Content-Type says',
    )
  }
}
