import type { Node } from '../store/registry.ts'
import type { Token } from '../store/tokens.ts'
import type { Context } from './context.ts'
import { ALIAS_MISSING, GraphError, OBJECT_MISSING, UNSUPPORTED_REQUEST } from './error.ts'
import type { Subject } from './node-fields.ts'

/** What an id names: the user that the token stands for, or a node that it may see. */
export async function readSubject(context: Context, id: string): Promise<Subject | Node> {
  return isUser(context, id) ? userOf(context.token) : readVisibleNode(context, id)
}

/** Whether an id is that of the user that the token stands for; any other token's is nobody's. */
export function isUser({ token }: Context, id: string): boolean {
  return id === 'me' || id === userOf(token).names.user_id
}

/** A node outside the token's accounts is missing, and told so in the same words as one that never was (design 7). */
export async function readVisibleNode(context: Context, id: string | undefined): Promise<Node> {
  const { method } = context.call
  if (id === undefined) throw new GraphError(UNSUPPORTED_REQUEST, `Unsupported ${method.toLowerCase()} request.`)
  if (id === 'me') throw missingObject(method, id)
  if (!/^(?:act_)?\d+$/.test(id)) throw missingAliases([id])
  const node = await findVisibleNode(context, id)
  if (node === undefined) throw missingObject(method, id)
  return node
}

export function findVisibleNode({ tables, directory, token }: Context, id: string): Promise<Node | undefined> {
  return directory.readNode(tables, id, token.accounts)
}

/** Digits of a token's hash that make up its user's id: few enough for 15 decimals. */
const USER_DIGITS = 12

/** A token stands for nobody but itself: its user has an id made of its hash, and the name of `readout token list`. */
export function userOf({ token_hash }: Token): Subject {
  const name = token_hash.slice(0, USER_DIGITS)
  const user_id = String(Number.parseInt(name, 16))
  return { level: 'user', names: { user_id, user_name: `Token ${name}` }, currency: '', time_zone: 'UTC' }
}

export function isNode(subject: Subject | Node): subject is Node {
  return 'ads' in subject
}

export function missingAliases(ids: readonly string[]): GraphError {
  return new GraphError(ALIAS_MISSING, `Some of the aliases you requested do not exist: ${ids.join(',')}`)
}

export function missingObject(method: string, id: string): GraphError {
  return new GraphError(
    OBJECT_MISSING,
    `Unsupported ${method.toLowerCase()} request. Object with ID '${id}' does not exist, cannot be loaded due to missing ` +
      'permissions, or does not support this operation. Please read the Graph API documentation at ' +
      'https://developers.facebook.com/docs/graph-api',
  )
}
