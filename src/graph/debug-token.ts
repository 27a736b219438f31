import { hasExpired, type Permission } from '../store/tokens.ts'
import { formatExpiry } from './caller.ts'
import type { Context } from './context.ts'
import { isEmpty, parseText } from './encoding.ts'
import { GraphError, INVALID_PARAMETER, TOKEN_EXPIRED } from './error.ts'
import { userOf } from './node.ts'
import type { JsonObject } from './node-fields.ts'
import { type Parameter, required } from './parameter.ts'
import { TEXT } from './schema.ts'

/** Meta's names of what our permissions allow. */
const SCOPES: Readonly<Record<Permission, readonly string[]>> = {
  read: ['ads_read'],
  write: ['ads_read', 'ads_management'],
  admin: ['ads_read', 'ads_management', 'business_management'],
}

export const DEBUG_TOKEN_PARAMETERS: readonly Parameter[] = [
  required('input_token', 'The token that is asked about.', TEXT),
]

/** What `debug_token` says of the token in `input_token` (contract 9.13). Whoever asks holds it, so it is no secret. */
export async function debugToken({ call, tables, directory, now }: Context): Promise<{ data: JsonObject }> {
  const input = call.parameters.get('input_token')
  if (typeof input !== 'string' || isEmpty(input)) {
    throw new GraphError(INVALID_PARAMETER, 'The parameter input_token is required')
  }
  const token = await directory.readToken(tables, parseText(input))
  if (token === undefined) {
    const error = { code: 190, message: 'Invalid OAuth access token.' }
    return { data: { error, is_valid: false, scopes: [] } }
  }
  const accounts = await tables.registry.listAccounts()
  const target_ids = accounts.filter(({ account }) => token.accounts.has(account)).map(({ account_id }) => account_id)
  const scopes = SCOPES[token.permission]
  const now_ms = now.epochMilliseconds
  const isExpired = hasExpired(token, now_ms)
  const { code, subcode } = TOKEN_EXPIRED
  return {
    data: {
      ...(isExpired && { error: { code, message: formatExpiry(token, now_ms), subcode } }),
      app_id: '0',
      type: 'USER',
      application: 'Readout',
      data_access_expires_at: 0,
      expires_at: secondsOf(token.expires_at ?? 0),
      is_valid: !isExpired,
      issued_at: secondsOf(token.created_at),
      scopes,
      granular_scopes: scopes.map((scope) => ({ scope, target_ids })),
      user_id: userOf(token).names.user_id,
    },
  }
}

function secondsOf(time_ms: number): number {
  return Math.floor(time_ms / 1000)
}
