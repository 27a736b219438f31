import { METRICS } from '../domain/metric.ts'
import { parseNames, type Value } from './encoding.ts'
import { GraphError, INVALID_PARAMETER, PATH_UNKNOWN } from './error.ts'
import { FIELDS_MAX } from './field-expression.ts'
import { APP_FIELDS, LIST_FIELDS, SCALAR_FIELDS } from './field-names.ts'

/** Every name that `fields` may hold. Those that we have no value for are left out of the rows (contract 3.2). */
export const FIELDS: ReadonlySet<string> = new Set([
  ...METRICS.map(({ field }) => field),
  ...SCALAR_FIELDS,
  ...LIST_FIELDS,
  ...APP_FIELDS,
])

/**
 * What a row holds when `fields` is absent: the ids that the node has, and the nearest that we have to Meta's
 * `impressions` and `spend` (contract 3.1, silent on message campaigns).
 */
export const FIELDS_DEFAULT: readonly string[] = [
  'account_id',
  'campaign_id',
  'adset_id',
  'ad_id',
  'marketing_messages_delivered',
  'marketing_messages_spend',
]

/** Every row ends with its dates, asked for or not (contract 3.1). */
export const DATE_FIELDS: readonly string[] = ['date_start', 'date_stop']

const ALL_VALUES =
  'please check https://developers.facebook.com/docs/marketing-api/reference/ads-insights/ for all valid values'

/** Parses `fields` to the keys of a row before its dates, in the order asked, each once. Throws a GraphError. */
export function parseFields(value: Value): readonly string[] {
  const names = parseNames(value)
  if (names === undefined)
    throw new GraphError(INVALID_PARAMETER, 'fields must be a list of names, as a,b or ["a","b"]')
  if (names.length > FIELDS_MAX) throw new GraphError(INVALID_PARAMETER, `fields are more than ${FIELDS_MAX} names`)
  checkNames(names)
  if (names.length === 0) return FIELDS_DEFAULT
  return [...new Set(names)].filter((name) => !DATE_FIELDS.includes(name))
}

function checkNames(names: readonly string[]): void {
  const unknown = names.filter((name) => !FIELDS.has(name))
  if (unknown.length === 0) return
  checkSyntax(names.join(','))
  const verb = unknown.length === 1 ? 'is' : 'are'
  throw new GraphError(INVALID_PARAMETER, `${unknown.join(', ')} ${verb} not valid for fields param. ${ALL_VALUES}`)
}

/** Meta reads a dot or a brace as syntax of its own, so that an action type is no name but a mistake (contract 3.2). */
function checkSyntax(fields: string): void {
  const place = fields.search(/[^\w,]/)
  if (place < 0) return
  const message = `Syntax error "Expected end of string instead of "${fields[place]}"." at character ${place}: ${fields}`
  throw new GraphError(PATH_UNKNOWN, message)
}
