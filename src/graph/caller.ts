import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Tables } from '../store/store.ts'
import { hasExpired, PERMISSIONS, type Permission, type Token } from '../store/tokens.ts'
import type { Call } from './context.ts'
import type { Directory } from './directory.ts'
import { isEmpty, parseText, type Value } from './encoding.ts'
import {
  GraphError,
  PATH_UNKNOWN,
  PERMISSION_MISSING,
  PROOF_MISSING,
  PROOF_WRONG,
  TOKEN_EXPIRED,
  TOKEN_MISSING,
  TOKEN_UNKNOWN,
} from './error.ts'

/** What a caller is told by, and what has to be shown beside an access token. */
export interface CallerDoor {
  readonly directory: Directory
  /** `appsecret_proof` is checked against any of them; without any it is not looked at. */
  readonly app_secrets: readonly string[]
  readonly require_appsecret_proof: boolean
}

/** Reads who calls: the token of the query or the body, else of the header, and its proof (contract 9.1, 9.2). */
export async function readCaller(tables: Tables, call: Call, door: CallerDoor, now_ms: number): Promise<Token> {
  const text = tokenOf(call)
  if (text === undefined) throw missingToken(call.path.id)
  const token = await door.directory.readToken(tables, text)
  if (token === undefined) throw new GraphError(TOKEN_UNKNOWN, 'Invalid OAuth access token - Cannot parse access token')
  if (hasExpired(token, now_ms)) throw new GraphError(TOKEN_EXPIRED, formatExpiry(token, now_ms))
  checkProof(text, call.parameters.get('appsecret_proof'), door)
  return token
}

/** That a token has expired, in Meta's words (contract 7.3). */
export function formatExpiry({ expires_at = 0 }: Token, now_ms: number): string {
  const [expired, now] = [expires_at, now_ms].map(formatMoment)
  return `Error validating access token: Session has expired on ${expired}. The current time is ${now}.`
}

/** As Meta writes a moment, `Monday, 23-Nov-15 14:00:00 PST`, but in UTC. */
function formatMoment(time_ms: number): string {
  const at = new Date(time_ms)
  const weekday = at.toLocaleDateString('en-US', { weekday: 'long', timeZone: 'UTC' })
  const [, day, month, year = '', time] = at.toUTCString().split(' ')
  return `${weekday}, ${day}-${month}-${year.slice(-2)} ${time} UTC`
}

/** Throws a GraphError when a token may not do what needs this permission. */
export function checkPermission({ permission }: Token, needed: Permission): void {
  if (PERMISSIONS.indexOf(permission) >= PERMISSIONS.indexOf(needed)) return
  throw new GraphError(PERMISSION_MISSING, 'Ad account owner has NOT grant ads_management or ads_read permission')
}

/** A token that is to be exchanged calls for itself. */
export function tokenOf({ path, parameters, headers }: Call): string | undefined {
  const isExchange = path.id === 'oauth' && path.edge === 'access_token'
  const name = isExchange ? 'fb_exchange_token' : 'access_token'
  return textOf(parameters.get(name)) ?? bearer(headers.authorization)
}

function bearer(authorization: string | undefined): string | undefined {
  return /^(?:Bearer|OAuth) +(\S+)\s*$/i.exec(authorization ?? '')?.[1]
}

function textOf(value: Value | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? parseText(value) : undefined
}

function missingToken(id: string | undefined): GraphError {
  if (id !== 'me') return new GraphError(TOKEN_MISSING, 'An access token is required to request this resource.')
  const message = 'An active access token must be used to query information about the current user.'
  return new GraphError(PATH_UNKNOWN, message)
}

function checkProof(token: string, proof: Value | undefined, policy: CallerDoor): void {
  if (policy.app_secrets.length === 0) return
  if (proof !== undefined && !isEmpty(proof)) {
    const claimed = Buffer.from(typeof proof === 'string' ? parseText(proof) : '')
    if (policy.app_secrets.some((secret) => isProof(claimed, token, secret))) return
    throw new GraphError(PROOF_WRONG, 'Invalid appsecret_proof provided in the API argument')
  }
  if (!policy.require_appsecret_proof) return
  throw new GraphError(PROOF_MISSING, 'API calls from the server require an appsecret_proof argument')
}

function isProof(claimed: Buffer, token: string, app_secret: string): boolean {
  const proof = Buffer.from(createHmac('sha256', app_secret).update(token).digest('hex'))
  return proof.length === claimed.length && timingSafeEqual(proof, claimed)
}
