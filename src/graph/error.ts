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
  /** What Meta adds for the people in front of a client. */
  readonly for_people?: {
    readonly is_transient: boolean
    readonly error_user_title: string
    readonly error_user_msg: string
  }
  /** When it is answered, for the reference page. */
  readonly when: string
}

const REQUEST = { status: 400, type: 'OAuthException', reason: 'invalid_request' } as const

export const INVALID_PARAMETER: GraphErrorKind = {
  ...REQUEST,
  code: 100,
  prefixed: true,
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
  when: 'The object does not exist, is outside the accounts of the token, or does not support the method.',
}

export const TOKEN_MISSING: GraphErrorKind = {
  ...REQUEST,
  code: 104,
  prefixed: false,
  when: 'The request carries no access token.',
}

export const TOKEN_UNKNOWN: GraphErrorKind = {
  status: 401,
  type: 'OAuthException',
  reason: 'invalid_token',
  code: 190,
  prefixed: false,
  when: 'The access token was never created here, or was revoked.',
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
  when: 'The call changes something, and the permission of the access token is `read`.',
}

export const REQUEST_LIMIT_REACHED: GraphErrorKind = {
  ...REQUEST,
  code: 17,
  subcode: 2446079,
  prefixed: false,
  for_people: {
    is_transient: false,
    error_user_title: 'Ad Account Has Too Many API Calls',
    error_user_msg: 'There have been too many calls from this ad-account. Please wait a bit and try again.',
  },
  when: 'The access token has made as many calls in this hour as `--request-limit` allows.',
}

export const ALIAS_MISSING: GraphErrorKind = {
  ...REQUEST,
  reason: 'not_found',
  code: 803,
  prefixed: true,
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
  when: 'The range starts before 37 months ago, and the server runs with `--meta-history-limit`.',
}

export const BODY_TOO_LARGE: GraphErrorKind = { ...INVALID_PARAMETER, status: 413, when: 'The body is too large.' }

export const UNKNOWN_ERROR: GraphErrorKind = {
  ...REQUEST,
  status: 500,
  code: 1,
  prefixed: false,
  when: 'Something failed inside the server; its log has the cause under the `fbtrace_id`.',
}

export const UNAVAILABLE: GraphErrorKind = {
  ...REQUEST,
  status: 503,
  code: 2,
  subcode: 1504043,
  prefixed: false,
  when: 'An act could not be stored, because another program writes into the database; it may come again.',
}

export const REDUCE_DATA: GraphErrorKind = {
  ...REQUEST,
  status: 500,
  code: 1,
  prefixed: false,
  when: 'A result to be sorted or summed has more rows than are held at once, or a call asks for too many nodes at once.',
}

export const REPORT_NOT_READY: GraphErrorKind = {
  ...REQUEST,
  code: 100,
  subcode: 2601,
  prefixed: true,
  when: 'The rows of a report are asked for that is not completed, or that failed; the message tells its status.',
}

export const TOO_MANY_REPORTS: GraphErrorKind = {
  ...REQUEST,
  code: 4,
  prefixed: true,
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

/** The envelope of contract 7.1. */
export function formatError({ kind, message }: GraphError, fbtrace_id: string): string {
  const { type, code, subcode, for_people } = kind
  const numbers = subcode === undefined ? { code } : { code, error_subcode: subcode }
  return JSON.stringify({ error: { message, type, ...numbers, ...for_people, fbtrace_id } })
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
