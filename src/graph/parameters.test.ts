import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Value } from './encoding.ts'
import { GraphError } from './error.ts'
import { decode, PAIRS_MAX, parseForm, parseParameters } from './parameters.ts'

const map = (object: Record<string, Value>) => new Map(Object.entries(object))

const JSON_BODY = 'application/json'
const FORM_BODY = 'application/x-www-form-urlencoded'

function parsed(query: string, content_type?: string, body?: string) {
  return parseParameters({
    method: 'GET',
    path: '/act_1/insights',
    query,
    headers: { 'content-type': content_type },
    body: body === undefined ? undefined : Buffer.from(body),
    base_url: 'http://localhost',
  })
}

test('parseForm() reads a query as browsers, SDKs and PHP write it', () => {
  const rows: [text: string, parameters: Record<string, Value>][] = [
    ['', {}],
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=1&a=2', { a: '2' }],
    ['a', { a: '' }],
    ['a=b=c', { a: 'b=c' }],
    ['&&a=1&=2&', { a: '1' }],
    ['a=x+y%2Bz%0A', { a: 'x y+z\n' }],
    ['a%5Bb%5D=1', { a: map({ b: '1' }) }],
    ['q=%C3%A4', { q: 'ä' }],
    ["fields=%5B'id',%20'account_id'%5D", { fields: "['id', 'account_id']" }],
    [
      'time_range[since]=2026-03-01&time_range[until]=2026-03-17',
      { time_range: map({ since: '2026-03-01', until: '2026-03-17' }) },
    ],
    ['fields[]=id&fields[]=name', { fields: map({ 0: 'id', 1: 'name' }) }],
    ['fields[0]=id&fields[1]=name', { fields: map({ 0: 'id', 1: 'name' }) }],
    [
      'filtering[0][field]=ad.id&filtering[0][value][]=1',
      { filtering: map({ 0: map({ field: 'ad.id', value: map({ 0: '1' }) }) }) },
    ],
    ['a=1&a[b]=2', { a: map({ b: '2' }) }],
    ['a[b]=1&a=2', { a: '2' }],
  ]
  for (const [text, parameters] of rows) assert.deepEqual(parseForm(text), map(parameters), text)
})

test('parseForm() gives name[] the next number', () => {
  assert.deepEqual(parseForm('a[1]=x&a[]=y').get('a'), map({ 1: 'x', 2: 'y' }))
})

test('decode() takes what is wrongly encoded as it stands', () => {
  const rows: [text: string, decoded: string][] = [
    ['100%', '100%'],
    ['%zz', '%zz'],
    ['%ff', '%ff'],
    ['a+%e4', 'a %e4'],
    ['%25', '%'],
  ]
  for (const [text, decoded] of rows) assert.equal(decode(text), decoded, text)
})

test('parseParameters() reads a body with GET too, and lets the query win', () => {
  const rows: [form: string, query: string, content_type: string | undefined, body: string, Record<string, Value>][] = [
    ["the Node SDK's {}", 'a=1', JSON_BODY, '{}', { a: '1' }],
    ['an empty PHP map', 'a=1', JSON_BODY, '[]', { a: '1' }],
    ['spaces', 'a=1', JSON_BODY, ' \n', { a: '1' }],
    ['nothing', 'a=1', JSON_BODY, '', { a: '1' }],
    ['JSON', '', JSON_BODY, '{"fields":["a","b"],"limit":5}', { fields: ['a', 'b'], limit: '5' }],
    ['JSON with a charset', '', 'application/json; charset=utf-8', '{"q":"ä"}', { q: 'ä' }],
    ['a number with every digit', '', JSON_BODY, '{"id":12345678901234567891}', { id: '12345678901234567891' }],
    ['a form', '', FORM_BODY, 'fields=a,b&limit=5', { fields: 'a,b', limit: '5' }],
    ['a form without a type', '', undefined, 'limit=5', { limit: '5' }],
    ['a name in both', 'limit=1', FORM_BODY, 'limit=5&a=1', { limit: '1', a: '1' }],
  ]
  for (const [form, query, content_type, body, parameters] of rows) {
    assert.deepEqual(parsed(query, content_type, body), map(parameters), form)
  }
})

test('parseParameters() refuses a body that it cannot read', () => {
  const rows: [content_type: string, body: string, message: RegExp][] = [
    [JSON_BODY, '{', /^\(#100\) The request body must be a JSON object of parameters$/],
    [JSON_BODY, '["a"]', /must be a JSON object/],
    [JSON_BODY, '"a"', /must be a JSON object/],
    [JSON_BODY, '{"a":'.repeat(10_000), /must be a JSON object/],
    ['multipart/form-data; boundary=x', '--x', /^\(#100\) Content-Type multipart\/form-data; boundary=x is not read/],
    [
      'text/xml',
      '<a/>',
      /^\(#100\) Content-Type text\/xml is not read: send application\/x-www-form-urlencoded, multipart/,
    ],
  ]
  for (const [content_type, body, message] of rows) {
    assert.throws(
      () => parsed('', content_type, body),
      (error) => error instanceof GraphError && message.test(error.message),
    )
  }
})

test('parseForm() reads so many pairs, and looks at no more of them', () => {
  assert.equal((parseForm('a[]=1&'.repeat(PAIRS_MAX - 1)).get('a') as Map<string, Value>).size, PAIRS_MAX - 1)
  const started_ms = performance.now()
  const message = `(#100) A request has at most ${PAIRS_MAX} parameters`
  assert.throws(() => parseForm('a[]=1&'.repeat(170_000)), { name: 'GraphError', message })
  assert.ok(performance.now() - started_ms < 100)
})

test('parseParameters() takes the content type in any case', () => {
  assert.deepEqual(parsed('', 'Application/JSON', '{"limit":5}'), map({ limit: '5' }))
})
