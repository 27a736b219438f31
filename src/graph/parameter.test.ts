import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asksTotal, EDGE_PARAMETERS, parseIdPage } from './edge.ts'
import { parseConditions } from './edge-filtering.ts'
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
