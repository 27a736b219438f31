import type { Call } from './context.ts'
import { parseText } from './encoding.ts'
import { formOfMultipart } from './multipart.ts'
import { parseParameters } from './parameters.ts'
import { parsePath } from './path.ts'
import type { GraphRequest } from './request.ts'

const METHODS: readonly string[] = ['GET', 'POST', 'DELETE']

/** Parses a request as it came: its path, its parameters in any encoding, and the method that `method=` overrides. */
export async function parseCall(request: GraphRequest): Promise<Call> {
  const path = parsePath(request.path)
  const parameters = new Map(parseParameters(await formOfMultipart(request)))
  const method = overriddenMethod(request.method, parameters.get('method'))
  parameters.delete('method')
  return { method, path, parameters, headers: request.headers, base_url: request.base_url }
}

/** Only a POST can be another method (contract 9.10): a link that is followed must not delete. */
function overriddenMethod(method: string, override: unknown): string {
  const asked = typeof override === 'string' ? parseText(override).toUpperCase() : ''
  return method === 'POST' && METHODS.includes(asked) ? asked : method
}
