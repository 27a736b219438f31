import { isEmpty, parseNames, parseValue, VALUE_DEPTH_MAX, type Value } from './encoding.ts'
import { GraphError, INVALID_PARAMETER } from './error.ts'
import type { GraphRequest } from './request.ts'

/** The parameters of a request by name, from its query and its body. */
export type Parameters = ReadonlyMap<string, Value>

/**
 * Parses the parameters of a request: the query, and a form or JSON body, which clients send with GET too (contract
 * 3.9). A name in both has the query's value. Throws a GraphError when the body cannot be read.
 */
export function parseParameters({ query, headers, body }: GraphRequest): Parameters {
  const asked = parseQuery(query)
  if (body === undefined || body.length === 0) return asked
  return new Map([...parseBody((headers['content-type'] ?? '').toLowerCase(), body), ...asked])
}

/** The value of a parameter; `undefined` for one that asks for nothing. */
export function given(parameters: Parameters, name: string): Value | undefined {
  const value = parameters.get(name)
  return isEmpty(value) ? undefined : value
}

/** The names in a parameter; `undefined` where it asks for nothing. Throws code 100 for what is no list of names. */
export function givenNames(parameters: Parameters, name: string): string[] | undefined {
  const value = given(parameters, name)
  if (value === undefined) return undefined
  const names = parseNames(value)
  if (names !== undefined) return names
  throw new GraphError(INVALID_PARAMETER, `${name} must be a list of names, as a,b or ["a","b"]`)
}

/** Clients ask the same of many nodes: what a query was parsed to serves them all. */
const parsed = new Map<string, Parameters>()
const PARSED_MAX = 500
const PARSED_LENGTH_MAX = 4096

function parseQuery(query: string): Parameters {
  const known = parsed.get(query)
  if (known !== undefined) return known
  const parameters = parseForm(query)
  if (query.length > PARSED_LENGTH_MAX) return parameters
  if (parsed.size >= PARSED_MAX) parsed.clear()
  parsed.set(query, parameters)
  return parameters
}

/** Pairs of a query or a form: who sends more makes us work, and asks for nothing that a list could not say. */
export const PAIRS_MAX = 2000

/** Parses `a=1&b[c]=2`, percent-encoded, the last value of a name winning. Throws a GraphError for too many pairs. */
export function parseForm(text: string): Map<string, Value> {
  const parameters = new Map<string, Value>()
  if (text === '') return parameters
  const pairs = text.split('&', PAIRS_MAX + 1)
  if (pairs.length > PAIRS_MAX) throw tooManyPairs()
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = decode(equals < 0 ? pair : pair.slice(0, equals))
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1))
    if (name.includes('[')) setNested(parameters, name, value)
    else if (name !== '') parameters.set(name, value)
  }
  return parameters
}

export function tooManyPairs(): GraphError {
  return new GraphError(INVALID_PARAMETER, `A request has at most ${PAIRS_MAX} parameters`)
}

/** Decodes a percent-encoded text; one that is wrongly encoded is taken without it. */
export function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}

/** What clients call a form: some of them text, or nothing. */
const FORM = /^(?:application\/x-www-form-urlencoded\b.*|text\/plain\b.*)?$/

function parseBody(content_type: string, body: Uint8Array): Map<string, Value> {
  const text = new TextDecoder().decode(body).trim()
  if (text === '') return new Map()
  if (content_type.includes('json')) return parseJson(text)
  if (FORM.test(content_type)) return parseForm(text)
  throw new GraphError(
    INVALID_PARAMETER,
    `Content-Type ${content_type.slice(0, 100)} is not read: send application/x-www-form-urlencoded, ` +
      'multipart/form-data or application/json',
  )
}

/** A client without parameters may send `{}` or, where its language writes an empty map so, `[]`. */
function parseJson(text: string): Map<string, Value> {
  const value = parseValue(text)
  if (value instanceof Map) return value
  if (Array.isArray(value) && value.length === 0) return new Map()
  throw new GraphError(INVALID_PARAMETER, 'The request body must be a JSON object of parameters')
}

/** Sets `name[key][key]` the way PHP reads it; `name[]` takes the next number for its key. */
function setNested(parameters: Map<string, Value>, name: string, value: string): void {
  const keys = name.replaceAll(']', '').split('[', VALUE_DEPTH_MAX)
  const last = keys.pop() ?? ''
  let object = parameters
  for (const key of keys) object = objectAt(object, key)
  put(object, last === '' ? String(nextNumbers.get(object) ?? 0) : last, value)
}

function objectAt(parent: Map<string, Value>, key: string): Map<string, Value> {
  const known = parent.get(key)
  if (known instanceof Map) return known
  const object = new Map<string, Value>()
  put(parent, key, object)
  return object
}

/** One past the greatest number that is a key of an object. */
const nextNumbers = new WeakMap<ReadonlyMap<string, Value>, number>()

function put(object: Map<string, Value>, key: string, value: Value): void {
  object.set(key, value)
  if (/^\d{1,9}$/.test(key)) nextNumbers.set(object, Math.max(nextNumbers.get(object) ?? 0, Number(key) + 1))
}
