import { tokenOf } from './caller.ts'
import type { Context } from './context.ts'
import { GraphError, INVALID_PARAMETER } from './error.ts'
import { parseEnum } from './insights-parameters.ts'
import type { JsonObject } from './node-fields.ts'
import { disregarded, type Parameter, required } from './parameter.ts'
import { INTEGER, objectOf, type Schema, TEXT, wordOf } from './schema.ts'

const GRANT_TYPES = ['fb_exchange_token'] as const

export const EXCHANGE_PARAMETERS: readonly Parameter[] = [
  required('grant_type', '`fb_exchange_token`.', wordOf(GRANT_TYPES)),
  required('fb_exchange_token', 'A token that was made here. It shows who calls, so that no other is needed.', TEXT),
  disregarded('client_id', 'Tokens belong to no app.', TEXT),
  disregarded('client_secret', 'Tokens belong to no app.', TEXT),
]

export const EXCHANGED_TOKEN: Schema = objectOf({ access_token: TEXT, token_type: TEXT, expires_in: INTEGER }, [
  'access_token',
  'token_type',
])

const SECOND_MS = 1000

/**
 * Answers a token with itself (contract 2): at Meta it would be one of longer life, which only an administrator can
 * give here. Throws code 100 for any other grant.
 */
export async function exchangeToken({ call, token, now }: Context): Promise<JsonObject> {
  if (parseEnum(call.parameters, 'grant_type', GRANT_TYPES) === undefined) {
    throw new GraphError(INVALID_PARAMETER, `grant_type must be one of the following values: ${GRANT_TYPES.join(', ')}`)
  }
  const left_ms = token.expires_at === undefined ? undefined : token.expires_at - now.epochMilliseconds
  const expires_in = left_ms === undefined ? {} : { expires_in: Math.floor(left_ms / SECOND_MS) }
  return { access_token: tokenOf(call), token_type: 'bearer', ...expires_in }
}
