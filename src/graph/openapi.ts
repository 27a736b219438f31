import { ANSWER_HEADERS } from './answer-headers.ts'
import { BATCH } from './batch.ts'
import { EDGES } from './edge.ts'
import type { Endpoint } from './endpoint.ts'
import { GRAPH_ERRORS } from './error.ts'
import { ACCESS_TOKEN, GLOBAL_PARAMETERS } from './global-parameters.ts'
import { NODE_TYPES } from './node-fields.ts'
import { pageName, SCHEMAS } from './openapi-schemas.ts'
import { describeParameter, describeParameters, type Parameter } from './parameter.ts'
import { API_VERSIONS } from './path.ts'
import { EXPORT } from './report-export.ts'
import { ROUTES } from './route.ts'
import { type Schema, schemaNamed, TEXT } from './schema.ts'

/** Any object of the document that nothing here looks into. */
type Plain = Readonly<Record<string, unknown>>

/** A call, as OpenAPI has it. */
export interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly security?: readonly Plain[]
  readonly parameters?: readonly Plain[]
  readonly requestBody?: Plain
  /** By HTTP status. */
  readonly responses: Readonly<Record<string, Plain>>
}

/** A path, as OpenAPI has it: its calls by method, and what they share. */
export interface PathItem {
  readonly get?: Operation
  readonly post?: Operation
  readonly delete?: Operation
  readonly servers?: readonly Plain[]
  readonly parameters?: readonly Plain[]
}

export type Paths = Readonly<Record<string, PathItem>>

/** A document of OpenAPI 3.1. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly info: Plain
  readonly servers: readonly Plain[]
  readonly security: readonly Plain[]
  readonly paths: Paths
  readonly components: Readonly<Record<'securitySchemes' | 'parameters' | 'headers' | 'responses' | 'schemas', Plain>>
}

/** Every endpoint of this door. */
export const ENDPOINTS: readonly Endpoint[] = [...ROUTES, BATCH, EXPORT]

/** Of paths that have no version. */
export const WITHOUT_VERSION = [{ url: '/' }]

/**
 * Describes the API to OpenAPI readers, out of the tables that parse its requests and fill its answers. Paths that are
 * not of this door come as they are described.
 */
export function describeApi(version: string, others: Paths): OpenApiDocument {
  const { [EXPORT.path]: download, ...versioned } = describePaths(ENDPOINTS.flatMap(expandEdges))
  return {
    openapi: '3.1.0',
    info: {
      title: 'Readout',
      version,
      summary: 'Marketing-message campaigns on Messenger, measured from webhooks',
      description:
        "Meta's Graph API as far as it concerns insights. Parameters of a GET may also stand in its body, and those of " +
        'a POST in its query. A parameter that is marked as deprecated is accepted, and has no effect.',
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/{version}', variables: { version: { enum: API_VERSIONS, default: API_VERSIONS.at(-1) } } }],
    security: [{ access_token: [] }, { bearer: [] }],
    paths: { ...versioned, [EXPORT.path]: { ...download, servers: WITHOUT_VERSION }, ...others },
    components: {
      securitySchemes: {
        access_token: { type: 'apiKey', in: 'query', name: ACCESS_TOKEN.name, description: ACCESS_TOKEN.meaning },
        bearer: { type: 'http', scheme: 'bearer', description: 'The same token, which then stays out of links.' },
      },
      parameters: { id: ID, ...Object.fromEntries(SHARED.map((one) => [one.name, describeQuery(one)])) },
      headers: Object.fromEntries(
        ANSWER_HEADERS.map(({ name, meaning }) => [name, { description: meaning, schema: TEXT }]),
      ),
      responses: Object.fromEntries(STATUSES.map((status) => [`Error${status}`, describeRefusal(status)])),
      schemas: SCHEMAS,
    },
  }
}

const ID = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'An ad account (`act_` and digits), or a campaign, ad set, ad or report (digits).',
  schema: { type: 'string', pattern: '^(act_)?\\d+$' },
}

/** What every call can say beside who calls. */
const SHARED = GLOBAL_PARAMETERS.filter((one) => one !== ACCESS_TOKEN)

const STATUSES = [...new Set(GRAPH_ERRORS.map(({ status }) => status))].sort()

const NONE = ' A ledger of messages has none.'

/** A path of any edge stands for one path of each; so does one of a list of many nodes. */
function expandEdges(endpoint: Endpoint): Endpoint[] {
  const ofMany = endpoint.path.includes('{list}')
  if (!ofMany && !endpoint.path.includes('{edge}')) return [endpoint]
  return EDGES.map(({ name, of, lists }) => {
    const page = schemaNamed(pageName(lists))
    const parents = of.map((level) => NODE_TYPES[level].name).join(', ')
    return {
      ...endpoint,
      path: endpoint.path.replace(/{edge}|{list}/, name).replace('{id}', of.includes('user') ? 'me' : '{id}'),
      name: `${endpoint.name}${name.charAt(0).toUpperCase()}${name.slice(1)}`,
      meaning: `The ${name} of${ofMany ? ' each of several' : ''}: ${parents}.${lists ? '' : NONE}`,
      response: ofMany ? { type: 'object', additionalProperties: page } : page,
    }
  })
}

function describePaths(endpoints: readonly Endpoint[]): Record<string, PathItem> {
  const paths: Record<string, PathItem> = {}
  for (const endpoint of endpoints) {
    const { path, method, parameters } = endpoint
    const others = SHARED.map(({ name }) => name).filter((name) => !parameters.some((own) => own.name === name))
    const names = [...(path.includes('{id}') ? ['id'] : []), ...others]
    const shared = names.map((name) => ({ $ref: `#/components/parameters/${name}` }))
    paths[path] = { ...paths[path], parameters: shared, [method.toLowerCase()]: describeEndpoint(endpoint) }
  }
  return paths
}

function describeEndpoint({ method, name, permission, meaning, parameters, ...endpoint }: Endpoint): Operation {
  const { response, content_types = ['application/json'] } = endpoint
  const isFile = endpoint.content_types !== undefined
  const content = Object.fromEntries(content_types.map((type) => [type, { schema: response }]))
  const refusals = STATUSES.map((status) => [status, { $ref: `#/components/responses/Error${status}` }])
  return {
    operationId: name,
    tags: ['Graph API'],
    summary: meaning,
    ...(permission !== 'read' && { description: `Needs an access token with the permission \`${permission}\`.` }),
    ...(method === 'POST' ? { requestBody: describeBody(parameters) } : { parameters: parameters.map(describeQuery) }),
    responses: {
      200: { description: 'It succeeded.', ...(!isFile && { headers: headersOn(method) }), content },
      ...(method === 'GET' &&
        !isFile && {
          304: { description: 'The caller has this answer, as `If-None-Match` says.', headers: headersOn(method) },
        }),
      ...Object.fromEntries(refusals),
    },
  }
}

/** How a list of words stands in a query or in a form. */
const WITH_COMMAS = { style: 'form', explode: false }

/** What holds objects is JSON in a query, unlike lists of words. */
function describeQuery(parameter: Parameter): Plain {
  const { name, treatment, schema } = parameter
  const head = {
    name,
    in: 'query',
    ...describeParameter(parameter),
    ...(treatment === 'required' && { required: true }),
  }
  return isOfObjects(schema)
    ? { ...head, content: { 'application/json': { schema } } }
    : { ...head, ...WITH_COMMAS, schema }
}

/** A form has its lists and objects in the same way. */
function describeBody(parameters: readonly Parameter[]): Plain {
  const schema = describeParameters(parameters)
  const encoding = parameters.map(({ name, schema }) => [
    name,
    isOfObjects(schema) ? { contentType: 'application/json' } : WITH_COMMAS,
  ])
  const form = { schema, encoding: Object.fromEntries(encoding) }
  const content = {
    'application/json': { schema },
    'application/x-www-form-urlencoded': form,
    'multipart/form-data': form,
  }
  return { required: parameters.some(({ treatment }) => treatment === 'required'), content }
}

function isOfObjects({ type, items }: Schema): boolean {
  return type === 'object' || (type === 'array' && isOfObjects(items as Schema))
}

/** The headers of an answer that succeeded, by the method of its call, or of an error. */
function headersOn(on: Endpoint['method'] | 'error'): Plain {
  const names = ANSWER_HEADERS.filter((header) => header.on === undefined || header.on === on).map(({ name }) => name)
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}

function describeRefusal(status: number): Plain {
  const kinds = GRAPH_ERRORS.filter((kind) => kind.status === status)
  const lines = kinds.map(
    ({ code, subcode, when }) => `- ${code}${subcode === undefined ? '' : `/${subcode}`}: ${when}`,
  )
  return {
    description: lines.join('\n'),
    headers: headersOn('error'),
    content: { 'application/json': { schema: schemaNamed('Error') } },
  }
}
