import type { Call } from './context.ts'
import { isEmpty, parseText, parseValue, type Value } from './encoding.ts'
import type { Endpoint } from './endpoint.ts'
import { ANSWER_LENGTH_MAX } from './errand.ts'
import { GraphError, INVALID_PARAMETER, tooMuchData } from './error.ts'
import { selectPath } from './json-path.ts'
import { answered, describeParameters, disregarded, type Parameter, required } from './parameter.ts'
import { decode, type Parameters, parseForm, parseParameters } from './parameters.ts'
import { parsePath } from './path.ts'
import type { GraphResponse } from './request.ts'
import { anyOf, BOOLEAN, INTEGER, listOf, OBJECT, objectOf, TEXT } from './schema.ts'

/** Calls in one batch (contract 9.9). */
export const BATCH_ITEMS_MAX = 50

/** References to other results in one item, and the characters that are put in their place: results multiply. */
export const BATCH_REFERENCES_MAX = 50
export const BATCH_FILLED_LENGTH_MAX = 1_048_576

/** What an item of a batch may say (contract 9.9). */
export const BATCH_ITEM_PARAMETERS: readonly Parameter[] = [
  answered('method', '`GET`, `POST` or `DELETE`; `GET` when absent.', TEXT),
  answered('relative_url', 'Path and query, raw or percent-encoded, with a version or in that of the batch.', TEXT),
  answered('body', 'Parameters, as a form or a JSON object.', anyOf(TEXT, OBJECT)),
  answered(
    'access_token',
    'Its own token, also in the URL or the body; else that of the batch, which is needed in any case.',
    TEXT,
  ),
  answered('name', 'By which later items use its result: `{result=name:$.data.*.id}`, several values as `a,b`.', TEXT),
  answered('depends_on', 'The name of an item that has to succeed first.', TEXT),
  answered('omit_response_on_success', '`false` answers an item that others use too; else it is `null`.', BOOLEAN),
  answered('headers', 'Such as `["If-None-Match: \\"…\\""]`.', listOf(anyOf(TEXT, OBJECT))),
  disregarded('attached_files', 'Files are not read.', TEXT),
]

/** Answered before any route: a batch is a list of calls. */
export const BATCH: Endpoint = {
  method: 'POST',
  path: '/',
  name: 'callBatch',
  permission: 'read',
  meaning: 'The answers to the calls of `batch`, in their order.',
  parameters: [
    required(
      'batch',
      `The calls, at most ${BATCH_ITEMS_MAX}.`,
      listOf(describeParameters(BATCH_ITEM_PARAMETERS), { maxItems: BATCH_ITEMS_MAX }),
    ),
    answered('include_headers', '`false` leaves the headers of the answers out.', { ...BOOLEAN, default: true }),
  ],
  response: listOf(
    anyOf(
      objectOf(
        { code: INTEGER, headers: listOf(objectOf({ name: TEXT, value: TEXT }, ['name', 'value'])), body: TEXT },
        ['code', 'body'],
      ),
      { type: 'null' },
    ),
  ),
}

/** An item of a batch as the wire has it: a call, and how its answer is used; empty for what is no object. */
type BatchItem = ReadonlyMap<string, Value>

/** What an item is answered with; `null` where its answer was only there for others to use. */
type BatchAnswer = { code: number; headers?: readonly { name: string; value: string }[]; body: string } | null

/** A result that another item is to be made of: `{result=name:$.data.*.id}`. What begins like one ends where the next begins. */
const REFERENCE = /\{result=([^:{}]+):(\$[^{}]*)\}/g

/** Whether a call is a batch: a POST to no node, with a `batch`. */
export function isBatch({ method, path, parameters }: Call): boolean {
  return method === 'POST' && path.id === undefined && parameters.has('batch')
}

/** Answers the items one after another, since each can be made of the results of those before it. */
export async function answerBatch(
  batch: Call,
  answerItem: (item: Call) => Promise<GraphResponse>,
  answerError: (error: unknown) => GraphResponse,
): Promise<BatchAnswer[]> {
  const items = parseItems(batch.parameters.get('batch'))
  const used = new Set(items.flatMap(referencesOf))
  const hasHeaders = !isFalse(batch.parameters.get('include_headers'))
  const results = new Map<string, unknown>()
  const answers: BatchAnswer[] = []
  const tooLong = () => answerError(tooMuchData())
  let length = 0
  for (const item of items) {
    const isFull = length > ANSWER_LENGTH_MAX
    const made = isFull ? tooLong() : await answerOne(item, batch, results, answerItem).catch(answerError)
    length += made.body.length
    const response = length > ANSWER_LENGTH_MAX ? tooLong() : made
    const name = textOf(item.get('name'))
    const isDone = response.status < 400
    if (isDone && used.has(name)) results.set(name, JSON.parse(response.body || 'null'))
    const isOmitted = isDone && used.has(name) && !isFalse(item.get('omit_response_on_success'))
    answers.push(isOmitted ? null : formatAnswer(response, hasHeaders))
  }
  return answers
}

const NO_ITEM: BatchItem = new Map()

function parseItems(value: Value | undefined): readonly BatchItem[] {
  const list = typeof value === 'string' ? parseValue(value) : value
  if (!Array.isArray(list)) {
    throw new GraphError(INVALID_PARAMETER, 'batch must be a list: [{"method":"GET","relative_url":"me"}]')
  }
  if (list.length <= BATCH_ITEMS_MAX) return list.map((item) => (item instanceof Map ? item : NO_ITEM))
  const message = `Too many requests in batch message. Maximum batch size is ${BATCH_ITEMS_MAX}`
  throw new GraphError(INVALID_PARAMETER, message)
}

/** The names of the items whose results this one needs. */
function referencesOf(item: BatchItem): string[] {
  const text = decode(`${textOf(item.get('relative_url'))}&${textOf(item.get('body'))}`)
  const depended = textOf(item.get('depends_on'))
  return [...[...text.matchAll(REFERENCE)].map(([, name = '']) => name), ...(depended === '' ? [] : [depended])]
}

async function answerOne(
  item: BatchItem,
  batch: Call,
  results: ReadonlyMap<string, unknown>,
  answerItem: (item: Call) => Promise<GraphResponse>,
): Promise<GraphResponse> {
  if (item === NO_ITEM) {
    throw new GraphError(INVALID_PARAMETER, 'a batch item must be an object: {"method":"GET","relative_url":"me"}')
  }
  const lacking = referencesOf(item).find((name) => !results.has(name))
  if (lacking !== undefined) {
    throw new GraphError(INVALID_PARAMETER, `batch item ${lacking} has no result that another could be made of`)
  }
  return answerItem(parseItem(item, batch, results))
}

/** A relative URL may hold raw JSON, or be percent-encoded in its parts or as a whole, and names no version unless it wants another. */
function parseItem(item: BatchItem, batch: Call, results: ReadonlyMap<string, unknown>): Call {
  const url = textOf(item.get('relative_url'))
  const [path = '', ...rest] = (url.includes('?') ? url : decode(url)).split('?')
  const versioned = /^\/*v\d+\.\d+(?:\/|$)/.test(path) ? path : `${batch.path.version}/${path}`
  const fill = fillerOf(results)
  const parameters = new Map([...parseBody(item.get('body')), ...parseForm(rest.join('?'))])
  for (const [name, value] of parameters) parameters.set(name, fillValue(value, fill))
  return {
    method: textOf(item.get('method')).toUpperCase() || 'GET',
    path: parsePath(fill(decode(versioned))),
    parameters: withToken(withLocale(parameters, batch.parameters), item, batch.parameters),
    headers: {
      ...(parameters.has('access_token') ? {} : authorizationOf(batch)),
      ...parseHeaders(item.get('headers')),
    },
    base_url: batch.base_url,
  }
}

function parseBody(value: Value | undefined): Parameters {
  if (value instanceof Map) return value
  const body = Buffer.from(textOf(value))
  const content_type = body.toString().trimStart().startsWith('{') ? 'application/json' : ''
  return parseParameters({
    method: 'POST',
    path: '',
    query: '',
    headers: { 'content-type': content_type },
    body,
    base_url: '',
  })
}

/** People read one language, whichever item fails. */
function withLocale(parameters: Map<string, Value>, outer: Parameters): Map<string, Value> {
  const locale = outer.get('locale')
  return locale === undefined || parameters.has('locale') ? parameters : parameters.set('locale', locale)
}

/** An item's own token beats the batch's, whose proof goes with it. */
function withToken(parameters: Map<string, Value>, item: BatchItem, outer: Parameters): Parameters {
  const own = item.get('access_token')
  if (own !== undefined && !isEmpty(own)) return parameters.set('access_token', own)
  if (parameters.has('access_token')) return parameters
  for (const name of ['access_token', 'appsecret_proof']) {
    const value = outer.get(name)
    if (value !== undefined) parameters.set(name, value)
  }
  return parameters
}

function authorizationOf({ headers: { authorization } }: Call) {
  return authorization === undefined ? {} : { authorization }
}

/** `["If-None-Match: \"…\""]`, or objects of name and value. */
function parseHeaders(value: Value | undefined): Record<string, string> {
  const lines = Array.isArray(value) ? value : []
  return Object.fromEntries(
    lines.map((line) => {
      const [name = '', ...rest] = typeof line === 'string' ? line.split(':') : []
      return line instanceof Map
        ? [textOf(line.get('name')).toLowerCase(), textOf(line.get('value'))]
        : [name.trim().toLowerCase(), rest.join(':').trim()]
    }),
  )
}

function fillValue(value: Value, fill: (text: string) => string): Value {
  if (typeof value === 'string') return fill(value)
  if (Array.isArray(value)) return value.map((one) => fillValue(one, fill))
  return new Map([...value].map(([key, one]) => [key, fillValue(one, fill)]))
}

/** Puts results in the place of references to them; several stand as a list separated by commas. */
function fillerOf(results: ReadonlyMap<string, unknown>): (text: string) => string {
  let references = 0
  let length = 0
  const fillReference = (_: string, name: string, path: string) => {
    if (++references > BATCH_REFERENCES_MAX) throw tooFull(`has more than ${BATCH_REFERENCES_MAX} references`)
    const selected = selectPath(results.get(name), path)
    if (selected === undefined)
      throw new GraphError(INVALID_PARAMETER, `${path} is no path of a result, as $.data.*.id`)
    const text = selected.map(textOfResult).join(',')
    length += text.length
    if (length > BATCH_FILLED_LENGTH_MAX) throw tooFull(`takes more than ${BATCH_FILLED_LENGTH_MAX} characters`)
    return text
  }
  return (text) => text.replace(REFERENCE, fillReference)
}

function tooFull(what: string): GraphError {
  return new GraphError(INVALID_PARAMETER, `a batch item ${what} from other results: take less of them`)
}

function textOfResult(result: unknown): string {
  return typeof result === 'string' ? result : JSON.stringify(result)
}

function formatAnswer({ status, headers, body }: GraphResponse, hasHeaders: boolean): BatchAnswer {
  const list = Object.entries(headers).map(([name, value]) => ({ name, value }))
  return { code: status, ...(hasHeaders && { headers: list }), body }
}

function isFalse(value: Value | undefined): boolean {
  return typeof value === 'string' && ['false', '0'].includes(parseText(value).toLowerCase())
}

function textOf(value: Value | undefined): string {
  return typeof value === 'string' ? value : ''
}
