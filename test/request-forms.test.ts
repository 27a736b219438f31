import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { envelope, ms, TestServer } from './open.ts'

const PAGE = '900'

const server = await TestServer.open()
after(() => server[Symbol.asyncDispose]())
await server.addAccount('1', { page_ids: [PAGE] })
await server.addToken('write1', '1', 'write')
await server.post(
  envelope(PAGE, {
    field: 'marketing_message_reads',
    timestamp: ms('2026-11-10T09:00:00Z'),
    page_id: PAGE,
    message_id: '500',
    messenger_subscription_token: 'ann',
    marketing_message_tracking_id: 't1',
  }),
)

/** Sends these bytes over a socket, as they are; lines of the head end as HTTP wants them. */
async function send(head: string, body = ''): Promise<{ status: number; body: string }> {
  const { port } = new URL(server.url)
  const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
  const bytes = `${head.trim().split(/\n\s*/).join('\r\n')}\r\nHost: graph.facebook.com\r\nConnection: close\r\n${length}\r\n${body}`
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(bytes)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  const [answered = '', ...rest] = Buffer.concat(chunks).toString().split('\r\n\r\n')
  return { status: Number(answered.split(' ')[1]), body: rest.join('\r\n\r\n') }
}

const FORM = 'Content-Type: application/x-www-form-urlencoded'
const RANGE = '%7B%22since%22%3A%222026-11-01%22%2C%22until%22%3A%222026-11-19%22%7D'
const ROW =
  '{"marketing_messages_read":"1","marketing_messages_delivered":"1","date_start":"2026-11-01","date_stop":"2026-11-19"}'
const ANSWER = `{"data":[${ROW}],"paging":{"cursors":{"before":"MAZDZD","after":"MAZDZD"}}}`

const MULTIPART = [
  '--x',
  'Content-Disposition: form-data; name="fields"',
  '',
  'marketing_messages_read,marketing_messages_delivered',
  '--x',
  'Content-Disposition: form-data; name="time_range"',
  '',
  "{'since':'2026-11-01','until':'2026-11-19'}",
  '--x--',
  '',
].join('\r\n')

/** The forms of contract 3.9, 9 and 10 that ask for the same row. */
const FORMS: readonly [claim: string, head: string, body?: string][] = [
  [
    'the Node SDK: a body of {} with GET',
    `GET /v24.0/500/insights?time_range=${RANGE}&fields=marketing_messages_read%2Cmarketing_messages_delivered&access_token=token1 HTTP/1.1
     User-Agent: fbbizsdk-nodejs-v24.0.0
     Accept: application/json, text/plain, */*
     Content-Type: application/json`,
    '{}',
  ],
  [
    'the Python SDK: no body, sorted keys',
    `GET /v25.0/500/insights?access_token=token1&time_range=${RANGE}&fields=marketing_messages_read%2Cmarketing_messages_delivered HTTP/1.1
     User-Agent: fbbizsdk-python-v25.0.2
     Accept-Encoding: gzip, deflate`,
  ],
  [
    'the Python SDK: fields among the params',
    `GET /v25.0/500/insights?access_token=token1&fields=%5B%22marketing_messages_read%22%2C%20%22marketing_messages_delivered%22%5D&time_range=${RANGE} HTTP/1.1`,
  ],
  [
    'tap-facebook: a Python list, and the token in a header',
    `GET /v21.0/act_1/insights?fields=%5B'marketing_messages_read',%20'marketing_messages_delivered'%5D&time_range=${RANGE}&limit=25&order_by=x HTTP/1.1
     Authorization: Bearer token1`,
  ],
  [
    "Meta's samples: single quotes, line breaks, an unversioned path",
    `GET /500/insights?fields=marketing_messages_read,%0A%20marketing_messages_delivered&time_range=%7B'since':'2026-11-01','until':'2026-11-19'%7D&access_token=token1 HTTP/1.1`,
  ],
  [
    'bare keys, and values in literal quotes',
    `GET /v25.0//500//insights/?fields="marketing_messages_read,marketing_messages_delivered"&time_range=%7Bsince:"2026-11-01",until:"2026-11-19"%7D&access_token=token1 HTTP/1.1`,
  ],
  [
    'PHP',
    'GET /v25.0/500/insights?fields[0]=marketing_messages_read&fields[1]=marketing_messages_delivered&time_range[since]=2026-11-01&time_range[until]=2026-11-19&access_token=token1 HTTP/1.1',
  ],
  [
    'curl -X GET -d',
    `GET /v25.0/500/insights HTTP/1.1
     ${FORM}`,
    'fields=marketing_messages_read,marketing_messages_delivered&time_range={since: 2026-11-01, until: 2026-11-19}&access_token=token1',
  ],
  [
    'POST that is a GET, with everything in the query',
    `POST /v25.0/500/insights?method=GET&fields=marketing_messages_read,marketing_messages_delivered&time_range=${RANGE}&access_token=token1 HTTP/1.1`,
  ],
  [
    'POST that is a GET, as a form',
    `POST /v25.0/500/insights?access_token=token1 HTTP/1.1
     ${FORM}`,
    `method=get&fields=%5B%22marketing_messages_read%22,%22marketing_messages_delivered%22%5D&time_range=${RANGE}`,
  ],
  [
    'POST that is a GET, as JSON with real lists and objects',
    `POST /v25.0/500/insights?access_token=token1 HTTP/1.1
     Content-Type: application/json`,
    '{"method":"GET","fields":["marketing_messages_read","marketing_messages_delivered"],"time_range":{"since":"2026-11-01","until":"2026-11-19"}}',
  ],
  [
    'curl -F',
    `POST /v25.0/500/insights?method=get&access_token=token1 HTTP/1.1
     Content-Type: multipart/form-data; boundary=x`,
    MULTIPART,
  ],
]

test('a request is understood in every form in which clients write it', async () => {
  for (const [claim, head, body] of FORMS)
    assert.deepEqual(await send(head, body), { status: 200, body: ANSWER }, claim)
})

/** The calls of contract 10 beside insights, byte for byte, and what they are answered. */
const CALLS: readonly [head: string, answer: string, body?: string][] = [
  ['GET /v25.0/act_1/?access_token=token1 HTTP/1.1', '{"account_id":"1","id":"act_1"}'],
  [
    'GET /v25.0//?ids=500%2Cact_1&access_token=token1 HTTP/1.1',
    '{"500":{"id":"500"},"act_1":{"account_id":"1","id":"act_1"}}',
  ],
  ['GET /v24.0/?fields=name&ids=500&access_token=token1 HTTP/1.1', '{"500":{"name":"500","id":"500"}}'],
  [
    'GET /v25.0/me/adaccounts?summary=true&access_token=token1 HTTP/1.1',
    '{"data":[{"account_id":"1","id":"act_1"}],"paging":{"cursors":{"before":"QVFIMQZDZD","after":"QVFIMQZDZD"}},"summary":{"total_count":1}}',
  ],
  [
    `POST /v25.0/?access_token=token1 HTTP/1.1
     ${FORM}`,
    '[{"code":200,"body":"{\\"id\\":\\"500\\"}"}]',
    'batch=%5B%7B%22method%22%3A+%22GET%22%2C+%22relative_url%22%3A+%22500%2F%22%7D%5D&include_headers=false',
  ],
  [
    `POST /v24.0?access_token=token1 HTTP/1.1
     Content-Type: application/json`,
    '[{"code":200,"body":"{\\"id\\":\\"500\\"}"}]',
    '{"batch":[{"method":"GET","relative_url":"v24.0/500?fields=[\\"id\\"]"}],"include_headers":false}',
  ],
  [
    `POST /v25.0/act_1/message_campaign HTTP/1.1
     Content-Type: multipart/form-data; boundary=x`,
    '{"id":"700"}',
    ['name', 'Sale', 'id', '700', 'access_token', 'write1']
      .map((text, i) => (i % 2 === 0 ? `--x\r\nContent-Disposition: form-data; name="${text}"\r\n\r\n` : `${text}\r\n`))
      .concat('--x--\r\n')
      .join(''),
  ],
  [
    `POST /v25.0/700 HTTP/1.1
     ${FORM}`,
    '{"success":true}',
    'method=delete&access_token=write1',
  ],
  ['DELETE /v25.0/700?access_token=write1 HTTP/1.1', '{"success":true}'],
]

test('the calls of the SDKs are answered as they are sent', async () => {
  for (const [head, answer, body] of CALLS)
    assert.deepEqual(await send(head, body), { status: 200, body: answer }, head)
})

test('a body that is not what its type says is refused', async () => {
  const { status, body } = await send(
    `POST /v25.0/500?access_token=token1 HTTP/1.1
     Content-Type: multipart/form-data; boundary=x`,
    'fields=id',
  )
  assert.deepEqual([status, JSON.parse(body).error.code], [400, 100])
})
