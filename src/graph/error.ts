import { type Language, USER_TEXTS, type UserTextName } from './user-text.ts'

/** One of Meta's error codes and how it stands on the wire (contract 7). */
export interface GraphErrorKind {
  readonly status: number
  readonly code: number
  readonly subcode?: number
  readonly type: 'OAuthException' | 'GraphMethodException'
  /** The reason word of the `WWW-Authenticate` header. */
  readonly reason: 'invalid_request' | 'invalid_token' | 'not_found'
  /** Whether Meta starts the message with `(#code)`. */
  readonly prefixed: boolean
  /** What people are told; none where only a program can be wrong. */
  readonly user?: UserTextName
  /** Whether the same call may succeed in a moment; said only where people are told something. */
  readonly is_transient?: true
  /** When it is answered, for the reference page. */
  readonly when: string
}

const REQUEST = { status: 400, type: 'OAuthException', reason: 'invalid_request' } as const

export const INVALID_PARAMETER: GraphErrorKind = {
  ...REQUEST,
  code: 100,
  prefixed: true,
  user: 'parameter',
  when: 'A parameter has a value that cannot be answered; the message names it and the values that can.',
}

export const FIELD_UNKNOWN: GraphErrorKind = {
  ...INVALID_PARAMETER,
  when: '`fields` names what the type of node does not have.',
}

export const UNSUPPORTED_REQUEST: GraphErrorKind = {
  ...REQUEST,
  code: 100,
  type: 'GraphMethodException',
  prefixed: false,
  when: 'The path names no object.',
}

export const OBJECT_MISSING: GraphErrorKind = {
  ...REQUEST,
  code: 100,
  subcode: 33,
  type: 'GraphMethodException',
  prefixed: false,
  user: 'missing',
  when: 'The object does not exist, is outside the accounts of the token, or does not support the method.',
}

export const TOKEN_MISSING: GraphErrorKind = {
  ...REQUEST,
  code: 104,
  prefixed: false,
  user: 'tokenMissing',
  when: 'The request carries no access token.',
}

export const TOKEN_UNKNOWN: GraphErrorKind = {
  status: 401,
  type: 'OAuthException',
  reason: 'invalid_token',
  code: 190,
  prefixed: false,
  user: 'tokenUnknown',
  when: 'The access token was never created here, or was revoked.',
}

export const TOKEN_EXPIRED: GraphErrorKind = {
  ...REQUEST,
  reason: 'invalid_token',
  code: 190,
  subcode: 463,
  prefixed: false,
  user: 'tokenExpired',
  when: 'The access token was made with `--expires`, and that time is over.',
}

const PROOF = { ...REQUEST, code: 100, type: 'GraphMethodException', prefixed: false } as const

export const PROOF_WRONG: GraphErrorKind = {
  ...PROOF,
  when: '`appsecret_proof` is not made of the access token with one of the app secrets of the server.',
}

export const PROOF_MISSING: GraphErrorKind = {
  ...PROOF,
  when: 'There is no `appsecret_proof`, and the server runs with `--require-appsecret-proof`.',
}

export const PERMISSION_MISSING: GraphErrorKind = {
  status: 403,
  type: 'OAuthException',
  reason: 'invalid_request',
  code: 200,
  prefixed: true,
  user: 'permission',
  when: 'The call changes something, and the permission of the access token is `read`.',
}

export const REQUEST_LIMIT_REACHED: GraphErrorKind = {
  ...REQUEST,
  code: 17,
  subcode: 2446079,
  prefixed: false,
  user: 'requestLimit',
  when: 'The access token has made as many calls in this hour as `--request-limit` allows; `Retry-After` says when it may call again, in seconds.',
}

export const ALIAS_MISSING: GraphErrorKind = {
  ...REQUEST,
  reason: 'not_found',
  code: 803,
  prefixed: true,
  user: 'missing',
  when: 'The id in the path is neither digits nor `act_` and digits, or `ids` names what does not exist.',
}

export const PATH_UNKNOWN: GraphErrorKind = {
  ...REQUEST,
  code: 2500,
  prefixed: false,
  when: 'The path or its version is unknown, `fields` cannot be parsed, or `/me` was asked without a token.',
}

export const CURSOR_INVALID: GraphErrorKind = {
  ...REQUEST,
  code: 2642,
  prefixed: true,
  when: 'A paging cursor cannot be read, or names a row that is not there.',
}

export const HISTORY_TOO_OLD: GraphErrorKind = {
  ...REQUEST,
  code: 3018,
  prefixed: true,
  user: 'historyTooOld',
  when: 'The range starts before 37 months ago, and the server runs with `--meta-history-limit`.',
}

export const BODY_TOO_LARGE: GraphErrorKind = {
  ...REQUEST,
  status: 413,
  code: 100,
  prefixed: true,
  when: 'The body is too large.',
}

export const UNKNOWN_ERROR: GraphErrorKind = {
  ...REQUEST,
  status: 500,
  code: 1,
  subcode: 99,
  prefixed: false,
  user: 'unknown',
  when: 'Something failed inside the server; its log has the cause under the `fbtrace_id`.',
}

export const UNAVAILABLE: GraphErrorKind = {
  ...REQUEST,
  status: 503,
  code: 2,
  subcode: 1504043,
  prefixed: false,
  user: 'unavailable',
  is_transient: true,
  when: 'Another program writes into the database, its disk is full, or too many dear calls or bodies wait; the same call may come again.',
}

export const REDUCE_DATA: GraphErrorKind = {
  ...REQUEST,
  status: 500,
  code: 1,
  prefixed: false,
  user: 'tooMuchData',
  when: 'An answer would cost more than one may, have more rows to sort or sum than are held at once, or be too long.',
}

export const REPORT_NOT_READY: GraphErrorKind = {
  ...REQUEST,
  code: 100,
  subcode: 2601,
  prefixed: true,
  user: 'reportNotReady',
  when: 'The rows of a report are asked for that is not completed, or that failed; the message tells its status.',
}

export const TOO_MANY_REPORTS: GraphErrorKind = {
  ...REQUEST,
  code: 4,
  subcode: 1504022,
  prefixed: true,
  user: 'tooManyReports',
  when: 'The account has as many unfinished reports as one may have; ask again when some are done.',
}

/** Every kind of error that this door answers with, for the reference page. */
export const GRAPH_ERRORS: readonly GraphErrorKind[] = [
  UNKNOWN_ERROR,
  UNAVAILABLE,
  REDUCE_DATA,
  REQUEST_LIMIT_REACHED,
  INVALID_PARAMETER,
  FIELD_UNKNOWN,
  UNSUPPORTED_REQUEST,
  PROOF_WRONG,
  PROOF_MISSING,
  OBJECT_MISSING,
  TOKEN_MISSING,
  TOKEN_UNKNOWN,
  TOKEN_EXPIRED,
  PERMISSION_MISSING,
  ALIAS_MISSING,
  PATH_UNKNOWN,
  CURSOR_INVALID,
  HISTORY_TOO_OLD,
  REPORT_NOT_READY,
  TOO_MANY_REPORTS,
  BODY_TOO_LARGE,
]

/** An expected failure of a Graph request. The message goes to the caller, so it holds nothing the caller may not see. */
export class GraphError extends Error {
  override readonly name = 'GraphError'
  readonly kind: GraphErrorKind
  /** The message without its code. */
  readonly text: string

  constructor(kind: GraphErrorKind, text: string) {
    super(kind.prefixed ? `(#${kind.code}) ${text}` : text)
    this.kind = kind
    this.text = text
  }
}

/** Meta's error for an answer that would cost too much. */
export function tooMuchData(): GraphError {
  return new GraphError(REDUCE_DATA, "Please reduce the amount of data you're asking for, then retry your request")
}

/** The envelope of contract 7.1, whose message is the same in every language: clients look for its words. */
export function formatError({ kind, message }: GraphError, fbtrace_id: string, language: Language): string {
  const { type, code, subcode, user, is_transient = false } = kind
  const numbers = subcode === undefined ? { code } : { code, error_subcode: subcode }
  const told = user && { is_transient, ...USER_TEXTS[language][user] }
  return JSON.stringify({ error: { message, type, ...numbers, ...told, fbtrace_id } })
}

/** Clients give up on long headers, and a message can quote a whole URL; the body has all of it. */
const AUTHENTICATE_LENGTH_MAX = 500

/** The `WWW-Authenticate` header of contract 7.2. The message can quote the request, so it is made safe for a header. */
export function formatAuthenticate({ kind, message }: GraphError): string {
  const text = message
    .slice(0, AUTHENTICATE_LENGTH_MAX)
    .replace(/[^ -~]/g, '?')
    .replace(/["\\]/g, '\\$&')
  return `OAuth "Facebook Platform" "${kind.reason}" "${text}"`
}
