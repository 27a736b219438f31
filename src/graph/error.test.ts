import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CURSOR_INVALID,
  formatAuthenticate,
  formatError,
  GraphError,
  INVALID_PARAMETER,
  PROOF_WRONG,
  UNAVAILABLE,
} from './error.ts'

test('formatError() starts the message with the code where Meta does, and has a subcode where there is one', () => {
  const rows: [error: GraphError, body: string][] = [
    [
      new GraphError(INVALID_PARAMETER, 'say "hi"'),
      '{"message":"(#100) say \\"hi\\"","type":"OAuthException","code":100,"is_transient":false,' +
        '"error_user_title":"Something in this request is not valid",' +
        '"error_user_msg":"Please check the dates, the filters and the other choices, and try again.","fbtrace_id":"A1"}',
    ],
    [
      new GraphError(PROOF_WRONG, 'wrong'),
      '{"message":"wrong","type":"GraphMethodException","code":100,"fbtrace_id":"A1"}',
    ],
    [
      new GraphError(CURSOR_INVALID, 'gone'),
      '{"message":"(#2642) gone","type":"OAuthException","code":2642,"fbtrace_id":"A1"}',
    ],
    [
      new GraphError(UNAVAILABLE, 'busy'),
      '{"message":"busy","type":"OAuthException","code":2,"error_subcode":1504043,"is_transient":true,' +
        '"error_user_title":"The service is busy","error_user_msg":"Please try again in a moment.","fbtrace_id":"A1"}',
    ],
  ]
  for (const [error, body] of rows) assert.equal(formatError(error, 'A1', 'en'), `{"error":${body}}`)
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
