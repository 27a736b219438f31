import type { Call } from './context.ts'
import { parseText } from './encoding.ts'
import { formOfMultipart, isMultipart } from './multipart.ts'
import { parseParameters } from './parameters.ts'
import { parsePath } from './path.ts'
import type { GraphRequest } from './request.ts'

const METHODS: readonly string[] = ['GET', 'POST', 'DELETE']

/** Parses a request as it came: its path, its parameters in any encoding, and the method that `method=` overrides. */
export async function parseCall(request: GraphRequest): Promise<Call> {
  const { method, headers, base_url } = request
  const path = parsePath(request.path)
  const parameters = parseParameters(isMultipart(request) ? await formOfMultipart(request) : request)
  const call = { method, path, parameters, headers, base_url }
  return method === 'POST' ? overridden(call) : call
}

/** Only a POST can be another method (contract 9.10): a link that is followed must not delete. */
function overridden(call: Call): Call {
  const parameters = new Map(call.parameters)
  const override = parameters.get('method')
  const method = typeof override === 'string' ? parseText(override).toUpperCase() : ''
  parameters.delete('method')
  return METHODS.includes(method) ? { ...call, method, parameters } : call
}
