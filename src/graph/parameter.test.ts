import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asksTotal, EDGE_PARAMETERS, parseIdPage } from './edge.ts'
import { parseConditions, priceConditions } from './edge-filtering.ts'
import type { Value } from './encoding.ts'
import { INSIGHTS_PARAMETERS, parseInsightsQuery } from './insights-parameters.ts'
import { answered, describeParameters, disregarded, type Parameter, required } from './parameter.ts'
import type { Parameters } from './parameters.ts'
import { BOOLEAN, TEXT } from './schema.ts'

/** Notes the names that a parser looks up. */
class NotedParameters extends Map<string, Value> {
  readonly names = new Set<string>()

  override get(name: string): Value | undefined {
    this.names.add(name)
    return super.get(name)
  }
}

function namesRead(parse: (parameters: Parameters) => void): string[] {
  const noted = new NotedParameters()
  parse(noted)
  return [...noted.names].sort()
}

/** The names that a table says are answered, but for those that are read elsewhere. */
function namesIn(table: readonly Parameter[], elsewhere: RegExp): string[] {
  const answeredOnes = table.filter(({ treatment }) => treatment !== 'disregarded').map(({ name }) => name)
  return answeredOnes.filter((name) => !elsewhere.test(name)).sort()
}

test('parsers read every parameter that their table says is answered, and no other', () => {
  assert.deepEqual(namesRead(parseInsightsQuery), namesIn(INSIGHTS_PARAMETERS, /^export_/))
  const readEdge = (parameters: Parameters) => {
    parseIdPage(parameters)
    asksTotal(parameters)
    parseConditions(parameters, 'ad')
  }
  assert.deepEqual(namesRead(readEdge), namesIn(EDGE_PARAMETERS, /^fields$/))
})

test('parseConditions() takes a time to the millisecond, in seconds or as a date', () => {
  const rows: [text: string, time_ms: number][] = [
    ['1795000000', 1_795_000_000_000],
    ['2026-11-20', Date.parse('2026-11-20')],
    ['1970-01-07T05:06:37.334Z', 536_797_334],
  ]
  for (const [text, time_ms] of rows) {
    const [condition] = parseConditions(new Map([['updated_since', text]]), 'ad')
    assert.deepEqual(condition?.values, [time_ms], text)
  }
  assert.throws(() => parseConditions(new Map([['updated_since', '-1']]), 'ad'), /a time must be given in seconds/)
})

test('a list costs nothing more for what every client asks of it, and something for each look through its names', () => {
  const usual = new Map<string, Value>([
    ['effective_status', '["ACTIVE"]'],
    ['updated_since', '1795000000'],
  ])
  for (const parameters of [new Map<string, Value>(), usual]) {
    assert.equal(priceConditions(parseConditions(parameters, 'ad')), 0)
  }
  const searched = '[{field:name,operator:CONTAIN,value:a},{field:name,operator:NOT_CONTAIN,value:b}]'
  assert.ok(priceConditions(parseConditions(new Map([['filtering', searched]]), 'ad')) > 0)
})

test('describeParameters() is an object that needs what is required, and marks what has no effect', () => {
  const table = [required('a', 'One.', TEXT), answered('b', 'Two.', TEXT), disregarded('c', 'Three.', BOOLEAN)]
  assert.deepEqual(describeParameters(table), {
    type: 'object',
    properties: {
      a: { type: 'string', description: 'One.' },
      b: { type: 'string', description: 'Two.' },
      c: { type: 'boolean', description: 'Disregarded. Three.', deprecated: true },
    },
    required: ['a'],
  })
})
