import type { Context } from './context.ts'
import { isEmpty, parseNames } from './encoding.ts'
import { GraphError, INVALID_PARAMETER, UNSUPPORTED_REQUEST } from './error.ts'
import { findVisibleNode, missingAliases, userOf } from './node.ts'
import { FIELDS_OF_NODE, type JsonObject } from './node-fields.ts'
import { parseNodeFields, readFields } from './node-reader.ts'
import { type Parameter, required } from './parameter.ts'
import { listOf, TEXT } from './schema.ts'

/** Nodes that `ids` may name at once. */
export const IDS_MAX = 50

export const MANY_PARAMETERS: readonly Parameter[] = [
  required('ids', `The ids of the nodes, at most ${IDS_MAX}.`, listOf(TEXT, { maxItems: IDS_MAX })),
  FIELDS_OF_NODE,
]

/** The nodes that `ids` names, by their ids (contract 9.8); one that is missing fails them all. */
export async function readMany(context: Context): Promise<JsonObject> {
  const { method, parameters } = context.call
  const value = parameters.get('ids')
  if (value === undefined || isEmpty(value)) {
    throw new GraphError(UNSUPPORTED_REQUEST, `Unsupported ${method.toLowerCase()} request.`)
  }
  const ids = [...new Set(parseNames(value) ?? [])]
  if (ids.length > IDS_MAX) {
    throw new GraphError(INVALID_PARAMETER, `Too many IDs. Maximum: ${IDS_MAX}. Provided: ${ids.length}.`)
  }
  const fields = parseNodeFields(parameters.get('fields'))
  const found = await Promise.all(
    ids.map(async (id) => [id, id === 'me' ? userOf(context.token) : await findVisibleNode(context, id)] as const),
  )
  const missing = found.filter(([, node]) => node === undefined).map(([id]) => id)
  if (missing.length > 0) throw missingAliases(missing)
  const rows: JsonObject = {}
  for (const [id, node] of found) if (node !== undefined) rows[id] = await readFields(context, node, fields)
  return rows
}
