import { answered, disregarded, type Parameter, required } from './parameter.ts'
import { BOOLEAN, TEXT } from './schema.ts'

/** Shows who calls; it may stand in a header instead. */
export const ACCESS_TOKEN: Parameter = required(
  'access_token',
  'Made with `readout token create`. It may stand in the header `Authorization: Bearer …` instead.',
  TEXT,
)

/** What any call may say beside its own parameters (contract 3, under the table). */
export const GLOBAL_PARAMETERS: readonly Parameter[] = [
  ACCESS_TOKEN,
  answered('appsecret_proof', 'The HMAC-SHA256 of the access token with the app secret, in lower-case hex.', {
    type: 'string',
    pattern: '^[0-9a-f]{64}$',
  }),
  answered('method', 'Of a POST: the method that it stands for, `get` or `delete`. GET does not look at it.', TEXT),
  answered('locale', 'Of the error texts for people: Korean for `ko_KR` and the like, else English.', TEXT),
  answered('debug', '`all` or `warning`: the answer tells in `__debug__` which parameters were sent in vain.', TEXT),
  disregarded('pretty', 'Answers stand on one line.', BOOLEAN),
  disregarded('format', 'Answers are JSON.', TEXT),
  disregarded('metadata', 'Nodes hold no description of themselves.', BOOLEAN),
  disregarded('date_format', 'Times are written as Meta writes them by default.', TEXT),
  disregarded('callback', 'Answers are never scripts.', TEXT),
]
