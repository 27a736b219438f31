import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  formatValue,
  isEmpty,
  parseNames,
  parseObject,
  parseText,
  parseValue,
  VALUE_DEPTH_MAX,
  VALUE_ELEMENTS_MAX,
  VALUE_LENGTH_MAX,
  type Value,
} from './encoding.ts'

const map = (object: Record<string, Value>) => new Map(Object.entries(object))

test('parseNames() reads every form of a list that clients send', () => {
  const rows: [form: string, value: Value, names: string[] | undefined][] = [
    ['one name', 'id', ['id']],
    ['comma list', 'id,account_id', ['id', 'account_id']],
    ['comma list with spaces and newlines', ' id,\n  account_id ,', ['id', 'account_id']],
    ['JSON list', '["id","account_id"]', ['id', 'account_id']],
    ['Python list', "['id', 'account_id']", ['id', 'account_id']],
    ['list of bare names', '[id, account_id]', ['id', 'account_id']],
    ['quoted name', '"impressions"', ['impressions']],
    ['quoted comma list', '"age,gender"', ['age', 'gender']],
    ['comma list as the element of a list', '["id,account_id"]', ['id', 'account_id']],
    ['quoted list', '"[id,account_id]"', ['id', 'account_id']],
    ['list of a JSON body', ['id', 'account_id'], ['id', 'account_id']],
    ['PHP list', map({ 0: 'id', 1: 'account_id' }), ['id', 'account_id']],
    ['empty list', '[]', []],
    ['empty text', '', []],
    ['list of lists', '[["id"]]', undefined],
    ['list of objects', [map({ field: 'id' })], undefined],
    ['unclosed list', '["id"', undefined],
  ]
  for (const [form, value, names] of rows) assert.deepEqual(parseNames(value), names, form)
})

test('parseObject() reads every form of an object that clients send', () => {
  const range = map({ since: '2026-03-01', until: '2026-03-17' })
  const rows: [form: string, value: Value, object: Value | undefined][] = [
    ['JSON', '{"since":"2026-03-01","until":"2026-03-17"}', range],
    ['JavaScript with single quotes', "{'since':'2026-03-01','until':'2026-03-17'}", range],
    ['bare keys', '{since:"2026-03-01",until:"2026-03-17"}', range],
    ['bare keys and values', '{since:2026-03-01,until:2026-03-17}', range],
    ['spaces and newlines', '\n{ "since" : "2026-03-01" ,\n "until" : "2026-03-17" ,\n}\n', range],
    ['an object of a JSON body, or of PHP', range, range],
    ['empty', '{}', new Map()],
    ['list', '[]', undefined],
    ['text', '2026-03-01', undefined],
    ['empty text', '', undefined],
  ]
  for (const [form, value, object] of rows) assert.deepEqual(parseObject(value), object, form)
})

test('parseValue() reads lists and objects in each other, and loses nothing', () => {
  const rows: [text: string, value: Value][] = [
    [
      '[{field:"ad.impressions",operator:"GREATER_THAN",value:0}]',
      [map({ field: 'ad.impressions', operator: 'GREATER_THAN', value: '0' })],
    ],
    [
      "[{'field':'action_type','operator':'IN','value':['a','b']}]",
      [map({ field: 'action_type', operator: 'IN', value: ['a', 'b'] })],
    ],
    ['{page_id: 123}', map({ page_id: '123' })],
    ['[12345678901234567891,1.50,-0]', ['12345678901234567891', '1.50', '-0']],
    ['[true,false,null,None,"null"]', ['true', 'false', '', '', 'null']],
    ['["it\'s",\'say "hi"\']', ["it's", 'say "hi"']],
    ['["a\\"b\\\\c\\/d\\n\\u00e4\\ud83d\\ude00",\'it\\\'s\']', ['a"b\\c/d\nä😀', "it's"]],
    ['["a,b","]","}"]', ['a,b', ']', '}']],
    ['{"":"empty key","a":{},"b":[]}', map({ '': 'empty key', a: new Map(), b: [] })],
    ['{a:1,a:2}', map({ a: '2' })],
    ['{"__proto__":1}', new Map([['__proto__', '1']])],
  ]
  for (const [text, value] of rows) assert.deepEqual(parseValue(text), value, text)
})

test('parseValue() is undefined of everything malformed', () => {
  const texts = ['', ' ', '[', ']', '{', '[a', '[a,', '{a', '{a}', '{a:', '{a:}', '{a:1', '{a:1}}', '[a]b', '[a][b]']
  const marks = ['a,b', '[,]', '[a,,b]', '{,}', '{:1}', '["a"b]', '{"a" 1}', '{a b:1}', '{[a]:1}', '[a}', '{a:1]']
  for (const text of [...texts, ...marks]) assert.equal(parseValue(text), undefined, text)
})

test('parseValue() refuses what is too deep or too long', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}x${']'.repeat(depth)}`
  assert.notEqual(parseValue(nested(VALUE_DEPTH_MAX)), undefined)
  assert.equal(parseValue(nested(VALUE_DEPTH_MAX + 1)), undefined)
  const list = (length: number) => `[${'a'.repeat(length - 2)}]`
  assert.notEqual(parseValue(list(VALUE_LENGTH_MAX)), undefined)
  assert.equal(parseValue(list(VALUE_LENGTH_MAX + 1)), undefined)
})

test('parseValue() reads hostile text once, and keeps the stack', () => {
  const units = [
    '[',
    '{a:',
    '{"a":[',
    '["',
    "['",
    '[" ',
    '"',
    "'",
    '\\',
    '\\"',
    '["\\",',
    '\',"',
    ' ',
    ',',
    '\\a',
    'a,',
  ]
  const full = (unit: string) => unit.repeat(VALUE_LENGTH_MAX / unit.length - 1)
  for (const unit of units) assert.equal(parseValue(`[${full(unit)}`), undefined, unit)
  assert.equal(parseValue(`"${full('\\a')}"`), 'a'.repeat(VALUE_LENGTH_MAX / 2 - 1))
})

const arbitraryText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('null', '"', "'", '\\', '{}'),
)

/** Lists and objects of texts, in each other. */
const { value: arbitraryValue } = fc.letrec<{ value: Value; nested: Value[] | Map<string, Value> }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, arbitraryText, tie('nested')),
  nested: fc.oneof(
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(arbitraryText, tie('value'), { maxKeys: 4 }).map(map),
  ),
}))

test('parseValue() undoes formatValue()', () => {
  fc.assert(
    fc.property(fc.array(arbitraryValue, { maxLength: 4 }), (list) => {
      assert.deepEqual(parseValue(formatValue(list)), list)
      assert.deepEqual(parseObject(formatValue(map({ list }))), map({ list }))
    }),
    { numRuns: 300 },
  )
})

test('parseNames() undoes formatValue()', () => {
  for (const value of ['a,b', '["a","b"]', ['a', 'b'], map({ 0: 'a', 1: 'b' })]) {
    assert.deepEqual(parseNames(formatValue(value)), ['a', 'b'])
  }
})

test('parseValue() reads so many elements, in however many lists', () => {
  const pairs = (elements: number) => `[${'[1,2],'.repeat(elements / 3)}]`
  const read = parseValue(pairs(VALUE_ELEMENTS_MAX - 2))
  assert.ok(Array.isArray(read) && read.length === Math.floor(VALUE_ELEMENTS_MAX / 3))
  assert.equal(parseValue(pairs(VALUE_ELEMENTS_MAX + 3)), undefined)
})

test('parseText() drops spaces and one pair of quotes', () => {
  const rows: [text: string, parsed: string][] = [
    ['last_7d', 'last_7d'],
    [' "last_7d" ', 'last_7d'],
    ["' last_7d '", 'last_7d'],
    ['"last_7d\'', '"last_7d\''],
    ['""last_7d""', '"last_7d"'],
    ['"Buy one" or "get one"', '"Buy one" or "get one"'],
    ['"', '"'],
    ['', ''],
  ]
  for (const [text, parsed] of rows) assert.equal(parseText(text), parsed, text)
})

test('parseText() looks through a text of any length once', () => {
  const started_ms = performance.now()
  const quotes = '"'.repeat(1_000_000)
  assert.equal(parseText(`${quotes}x`), `${quotes}x`)
  assert.equal(parseText(quotes), quotes.slice(2))
  assert.equal(parseText(`${quotes}x${quotes}`).length, 2 * quotes.length - 1)
  assert.ok(performance.now() - started_ms < 500)
})

test('isEmpty() tells an absent parameter however it is written', () => {
  for (const value of [undefined, '', ' ', '""', '[]', '{}', 'null', 'None', '[ ]', ' { } ', '"[]"', [], new Map()]) {
    assert.equal(isEmpty(value), true, String(value))
  }
  for (const value of ['0', 'false', '[""]', '[[]]', [''], map({ a: '' })]) {
    assert.equal(isEmpty(value), false, String(value))
  }
})
