import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { METRICS } from '../src/domain/metric.ts'
import { EDGES } from '../src/graph/edge.ts'
import { GRAPH_ERRORS } from '../src/graph/error.ts'
import { FIELDS } from '../src/graph/field.ts'
import { GLOBAL_PARAMETERS } from '../src/graph/global-parameters.ts'
import { NODE_TYPES } from '../src/graph/node-fields.ts'
import { ENDPOINTS } from '../src/graph/openapi.ts'
import type { Parameter } from '../src/graph/parameter.ts'
import { RUN_FIELDS } from '../src/graph/report-run.ts'
import { WEBHOOK_PATH } from '../src/ingest/door.ts'
import { OPERATIONS } from '../src/operations.ts'
import { findSchemaFaults, type JsonSchema, resolve } from './json-schema.ts'
import { TestServer } from './open.ts'
import { type ApiCall, type ApiDocument, listCalls, readDocument } from './openapi.ts'

let server: TestServer
let document: ApiDocument

before(async () => {
  server = await TestServer.open()
  document = await readDocument(server.url)
})

after(() => server[Symbol.asyncDispose]())

/** Every value that stands under a key, anywhere in the document. */
function listUnder<T>(key: string, at: unknown = document): T[] {
  if (typeof at !== 'object' || at === null) return []
  return Object.entries(at).flatMap(([name, one]) => [...(name === key ? [one] : []), ...listUnder<T>(key, one)])
}

test('/openapi.json has what OpenAPI 3.1 asks for, and its references, path parameters and names are right', () => {
  const { openapi, info, servers } = document
  assert.match(openapi, /^3\.1\.\d$/)
  assert.deepEqual([typeof info.title, typeof info.version], ['string', 'string'])
  const [{ url, variables } = assert.fail()] = servers
  assert.deepEqual([url, variables?.version.enum.includes(variables.version.default)], ['/{version}', true])
  for (const reference of listUnder<string>('$ref')) resolve(document, reference)
  const calls = listCalls(document)
  assert.equal(new Set(calls.map(({ operation }) => operation.operationId)).size, calls.length)
  for (const { path, parameters, responses } of calls) {
    const inPath = parameters.filter((one) => one.in === 'path')
    assert.deepEqual(
      inPath.map(({ name, required }) => [`{${name}}`, required]),
      [...path.matchAll(/\{\w+\}/g)].map(([name]) => [name, true]),
    )
    assert.equal(new Set(parameters.map((one) => `${one.in} ${one.name}`)).size, parameters.length)
    for (const { name, schema, content } of parameters) {
      assert.notEqual(schema === undefined, content === undefined, `${path} ${name}`)
    }
    for (const { description } of Object.values(responses)) assert.match(description, /\w/, path)
  }
})

test('every schema of /openapi.json is one of JSON Schema 2020-12, and its default fits it', () => {
  const schemas = [...listUnder<JsonSchema>('schema'), ...Object.values(document.components.schemas)]
  assert.ok(schemas.length > 100)
  const faults = schemas.flatMap((one) => findSchemaFaults(document, one, JSON.stringify(one).slice(0, 60)))
  assert.deepEqual(faults, [])
})

test('/openapi.json has every endpoint and parameter of the tables, and no others', () => {
  const edges = EDGES.map(({ name, of }) => ({ edge: name, id: of.includes('user') ? 'me' : '{id}' }))
  const expected = ENDPOINTS.flatMap(({ path, method, parameters }) =>
    (/{edge}|{list}/.test(path) ? edges : [{ edge: '', id: '{id}' }]).map(({ edge, id }) => {
      return [`${method} ${path.replace(/{edge}|{list}/, edge).replace('{id}', id)}`, statedInTable(parameters)]
    }),
  )
  const calls = listCalls(document)
  const ofGraph = calls.filter(({ operation }) => operation.tags.includes('Graph API'))
  const described = ofGraph.map((call) => [`${call.method} ${call.path}`, statedInDocument(call)])
  assert.deepEqual(Object.fromEntries(described), Object.fromEntries(expected))
  const others = calls.filter((call) => !ofGraph.includes(call)).map(({ path }) => path)
  assert.deepEqual(new Set(others), new Set([WEBHOOK_PATH, ...OPERATIONS.keys(), '/openapi.json']))
  const shared = GLOBAL_PARAMETERS.map(({ name }) => (name === 'access_token' ? 'id' : name))
  assert.deepEqual(Object.keys(document.components.parameters).sort(), shared.sort())
})

const state = (name: string, required = false, deprecated = false) => `${name} ${required} ${deprecated}`

function statedInTable(parameters: readonly Parameter[]): string[] {
  return parameters.map(({ name, treatment }) => state(name, treatment === 'required', treatment === 'disregarded'))
}

function statedInDocument({ method, operation }: ApiCall): string[] {
  if (method !== 'POST') {
    return (operation.parameters ?? []).map(({ name, required, deprecated }) => state(name, required, deprecated))
  }
  const bodies = Object.values(operation.requestBody?.content ?? {}).map(({ schema }) => schema)
  const [inJson] = bodies
  assert.deepEqual(bodies, [inJson, inJson, inJson])
  assert.equal(operation.requestBody?.required, inJson?.required !== undefined)
  return Object.entries(inJson?.properties ?? {}).map(([name, { deprecated }]) =>
    state(name, inJson?.required?.includes(name), deprecated),
  )
}

test('/openapi.json has every field, error code and status of the tables', () => {
  const { schemas, responses } = document.components
  assert.deepEqual(schemas.InsightsField?.enum, [...FIELDS])
  const described: [of: string, names: readonly string[]][] = [
    ['InsightsRow', [...METRICS.map(({ field }) => field), 'date_start', 'date_stop']],
    ['AdReportRun', Object.keys(RUN_FIELDS)],
    ...Object.values(NODE_TYPES).map(({ name, fields }): [string, string[]] => [name, [...fields.keys()]]),
  ]
  for (const [of, names] of described) {
    const properties = schemas[of]?.properties ?? {}
    assert.deepEqual(
      names.filter((name) => !Object.hasOwn(properties, name)),
      [],
      of,
    )
  }
  const { code, error_subcode } = schemas.Error?.properties?.error?.properties ?? {}
  assert.deepEqual(new Set(code?.enum), new Set(GRAPH_ERRORS.map((kind) => kind.code)))
  const subcodes = GRAPH_ERRORS.flatMap(({ subcode }) => subcode ?? [])
  assert.deepEqual(new Set(error_subcode?.enum), new Set(subcodes))
  for (const { status, when } of GRAPH_ERRORS) assert.ok(responses[`Error${status}`]?.description.includes(when))
})

test('/openapi.json needs no token, is known by its ETag, and is only read', async () => {
  const url = `${server.url}/openapi.json`
  const { status, headers } = await fetch(url)
  const again = await fetch(url, { headers: { 'if-none-match': headers.get('etag') ?? '' } })
  const posted = await fetch(url, { method: 'POST' })
  assert.deepEqual([status, again.status, await again.text(), posted.status], [200, 304, '', 405])
  assert.equal(headers.get('access-control-allow-origin'), '*')
})
