import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAuthenticate, formatError, GraphError, INVALID_PARAMETER, OBJECT_MISSING } from './error.ts'

test('formatError() starts the message with the code where Meta does, and has a subcode where there is one', () => {
  const rows: [error: GraphError, body: string][] = [
    [
      new GraphError(INVALID_PARAMETER, 'say "hi"'),
      '{"message":"(#100) say \\"hi\\"","type":"OAuthException","code":100,"fbtrace_id":"A1"}',
    ],
    [
      new GraphError(OBJECT_MISSING, 'gone'),
      '{"message":"gone","type":"GraphMethodException","code":100,"error_subcode":33,"fbtrace_id":"A1"}',
    ],
  ]
  for (const [error, body] of rows) assert.equal(formatError(error, 'A1'), `{"error":${body}}`)
})

test('formatAuthenticate() makes a header of any message', () => {
  const rows: [message: string, text: string][] = [
    ['say "hi" \\', '(#100) say \\"hi\\" \\\\'],
    ['a\r\nset-cookie: ä😀', '(#100) a??set-cookie: ???'],
    ['x'.repeat(70_000), `(#100) ${'x'.repeat(493)}`],
  ]
  for (const [message, text] of rows) {
    const header = formatAuthenticate(new GraphError(INVALID_PARAMETER, message))
    assert.equal(header, `OAuth "Facebook Platform" "invalid_request" "${text}"`)
  }
})
