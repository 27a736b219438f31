import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GraphError } from './error.ts'
import { FIELDS_DEPTH_MAX, FIELDS_MAX, type Field, parseFieldExpression } from './field-expression.ts'

/** A tree as short text: `name.modifier=value[fields]`. */
function format(fields: readonly Field[]): string {
  return fields
    .map(({ name, modifiers, fields: inner }) => {
      const modified = [...modifiers].map(([modifier, value]) => `.${modifier}=${value}`).join('')
      return `${name}${modified}${inner === undefined ? '' : `[${format(inner)}]`}`
    })
    .join(' ')
}

test('parseFieldExpression() reads names, braces and modifiers', () => {
  const rows: [text: string, tree: string][] = [
    ['', ''],
    ['a', 'a'],
    ['a,b', 'a b'],
    [' a ,\n b,', 'a b'],
    ['a{b,c{d}},e', 'a[b c[d]] e'],
    ['a{}', 'a[]'],
    ['insights.date_preset(last_7d){spend,actions}', 'insights.date_preset=last_7d[spend actions]'],
    ['ads.limit(5).after(x){id}', 'ads.limit=5.after=x[id]'],
    ['ads{id}.limit(5),b', 'ads.limit=5[id] b'],
    [
      'a.time_range({"since":"2026-03-01","until":"2026-03-17"})',
      'a.time_range={"since":"2026-03-01","until":"2026-03-17"}',
    ],
    ['a.filtering([{field:"x(y",value:[1]}]){b}', 'a.filtering=[{field:"x(y",value:[1]}][b]'],
    ["a.q(')'),b", "a.q=')' b"],
  ]
  for (const [text, tree] of rows) assert.equal(format(parseFieldExpression(text)), tree, text)
})

test('parseFieldExpression() reads the key under which a field is answered', () => {
  const keys = (text: string) => parseFieldExpression(text).map(({ key, modifiers }) => [key, ...modifiers.keys()])
  const rows: [text: string, keys: string[][]][] = [
    ['a.as(b)', [['b']]],
    ['a.x(1).as(w1){c},a{c}.as( w_2 ).x(2),a{c}', [['w1', 'x'], ['w_2', 'x'], ['a']]],
    ['a,a,b{c},b{c}', [['a'], ['a'], ['b'], ['b']]],
  ]
  for (const [text, expected] of rows) assert.deepEqual(keys(text), expected, text)
})

test('parseFieldExpression() refuses a key twice, and a key that is none', () => {
  const rows: [text: string, message: RegExp][] = [
    ['a.x(1){c},a.x(2){c}', /^\(#100\) fields has the key a twice: .* as a\.as\(another_key\)$/],
    ['a{b},a{c}', /the key a twice/],
    ['a.as(w),b.as(w)', /the key w twice/],
    ['a{b,c.as(b)}', /the key b twice/],
    ['a.as(id)', /the key id twice/],
    ['a.as()', /a\.as\(\) must name a key of letters, digits and underscores/],
    ['a.as(x-y)', /must name a key/],
  ]
  for (const [text, message] of rows) assert.throws(() => parseFieldExpression(text), { name: 'GraphError', message })
})

test('parseFieldExpression() reads lists in the forms of contract 3.9', () => {
  const lists = [
    '["a","b{c}"]',
    "['a', 'b{c}']",
    '"a,b{c}"',
    ['a', 'b{c}'],
    new Map([
      ['0', 'a'],
      ['1', 'b{c}'],
    ]),
  ]
  for (const list of lists) assert.equal(format(parseFieldExpression(list)), 'a b[c]')
})

test('parseFieldExpression() keeps what stands in braces as text', () => {
  assert.equal(parseFieldExpression('a{b.limit(1){c}, d}')[0]?.text, 'b.limit(1){c}, d')
})

test("parseFieldExpression() tells in Meta's words where it stopped", () => {
  const rows: [text: string, expected: string, place: number][] = [
    ['a s', 'end of string instead of "s"', 2],
    ['a,onsite_conversion.x', 'end of string instead of "."', 19],
    ['{a}', 'end of string instead of "{"', 0],
    ['a}', 'end of string instead of "}"', 1],
    ['a{b', '"}" instead of end of string', 3],
    ['a{b c}', '"}" instead of "c"', 4],
    ['a.limit(5', '")" instead of end of string', 9],
  ]
  for (const [text, expected, place] of rows) {
    const message = `Syntax error "Expected ${expected}." at character ${place}: ${text}`
    assert.throws(() => parseFieldExpression(text), { name: 'GraphError', message }, text)
  }
})

test('parseFieldExpression() is bounded', () => {
  const deep = (depth: number) => `${'a{'.repeat(depth)}b${'}'.repeat(depth)}`
  assert.equal(parseFieldExpression(deep(FIELDS_DEPTH_MAX)).length, 1)
  assert.throws(() => parseFieldExpression(deep(FIELDS_DEPTH_MAX + 1)), GraphError)
  const wide = (names: number) => Array.from({ length: names }, (_, i) => `f${i}`).join(',')
  assert.equal(parseFieldExpression(wide(FIELDS_MAX)).length, FIELDS_MAX)
  assert.throws(() => parseFieldExpression(wide(FIELDS_MAX + 1)), GraphError)
})

test('parseFieldExpression() answers any text with a tree or a GraphError', () => {
  const marks = fc.string({
    unit: fc.constantFrom('a', 'b', '{', '}', '(', ')', '.', ',', '"', "'", '[', ']', ' ', '\\'),
  })
  fc.assert(
    fc.property(marks, (text) => {
      try {
        parseFieldExpression(text)
      } catch (error) {
        assert.ok(error instanceof GraphError, String(error))
      }
    }),
  )
})
