import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Tables } from '../store/store.ts'
import { PERMISSIONS, type Permission, type Token } from '../store/tokens.ts'
import type { Call } from './context.ts'
import type { Directory } from './directory.ts'
import { isEmpty, parseText, type Value } from './encoding.ts'
import {
  GraphError,
  PATH_UNKNOWN,
  PERMISSION_MISSING,
  PROOF_MISSING,
  PROOF_WRONG,
  TOKEN_MISSING,
  TOKEN_UNKNOWN,
} from './error.ts'

/** What a caller has to show beside an access token. */
export interface ProofPolicy {
  /** `appsecret_proof` is checked against any of them; without any it is not looked at. */
  readonly app_secrets: readonly string[]
  readonly require_appsecret_proof: boolean
}

/** Reads who calls: the token of the query or the body, else of the header, and its proof (contract 9.1, 9.2). */
export async function readCaller(
  tables: Tables,
  call: Call,
  directory: Directory,
  policy: ProofPolicy,
): Promise<Token> {
  const text = tokenOf(call)
  if (text === undefined) throw missingToken(call.path.id)
  const token = await directory.readToken(tables, text)
  if (token === undefined) throw new GraphError(TOKEN_UNKNOWN, 'Invalid OAuth access token - Cannot parse access token')
  checkProof(text, call.parameters.get('appsecret_proof'), policy)
  return token
}

/** Throws a GraphError when a token may not do what needs this permission. */
export function checkPermission({ permission }: Token, needed: Permission): void {
  if (PERMISSIONS.indexOf(permission) >= PERMISSIONS.indexOf(needed)) return
  throw new GraphError(PERMISSION_MISSING, 'Ad account owner has NOT grant ads_management or ads_read permission')
}

export function tokenOf({ parameters, headers }: Call): string | undefined {
  return textOf(parameters.get('access_token')) ?? bearer(headers.authorization)
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

function checkProof(token: string, proof: Value | undefined, policy: ProofPolicy): void {
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
