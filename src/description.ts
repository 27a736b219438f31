import { formatETag, isKnown } from './graph/etag.ts'
import { describeApi, type PathItem, WITHOUT_VERSION } from './graph/openapi.ts'
import type { HttpDoor, HttpResponse } from './http.ts'
import { WEBHOOK_PATH } from './ingest/door.ts'
import { OPERATIONS } from './operations.ts'
import { VERSION } from './version.ts'

/** Where the API is described, for whoever asks: nothing in it is of a tenant. */
export const DESCRIPTION_PATH = '/openapi.json'

const TEXT = { type: 'string' }

const plain = (description: string) => ({ description, content: { 'text/plain': { schema: TEXT } } })

const needed = (place: string, name: string) => ({ name, in: place, required: true, schema: TEXT })

const WEBHOOKS: PathItem = {
  servers: WITHOUT_VERSION,
  get: {
    operationId: 'confirmWebhook',
    tags: ['Webhooks'],
    summary: "Meta's handshake.",
    security: [],
    parameters: ['hub.mode', 'hub.verify_token', 'hub.challenge'].map((name) => needed('query', name)),
    responses: { 200: plain('The challenge.'), 403: plain('The verify token is wrong, or the server has none.') },
  },
  post: {
    operationId: 'takeWebhook',
    tags: ['Webhooks'],
    summary: 'A webhook of a Page.',
    security: [],
    parameters: [needed('header', 'X-Hub-Signature-256')],
    requestBody: { required: true, content: { 'application/json': { schema: { type: 'object' } } } },
    responses: {
      200: plain('Every fact is committed and synced.'),
      400: plain('The body is no JSON object, or holds too many changes.'),
      403: plain('The signature is wrong, or the server has no app secret.'),
      413: plain('The body is too long.'),
      503: plain('The writer is behind, or could not commit: send it again.'),
    },
  },
}

const OPERATION_PATHS = [...OPERATIONS].map(([path, { name, meaning, statuses }]): [string, PathItem] => {
  const responses = Object.fromEntries(Object.entries(statuses).map(([status, says]) => [status, plain(says)]))
  const get = { operationId: name, tags: ['Operations'], summary: meaning, security: [], responses }
  return [path, { servers: WITHOUT_VERSION, get }]
})

const DESCRIPTION: PathItem = {
  servers: WITHOUT_VERSION,
  get: {
    operationId: 'describeApi',
    tags: ['Operations'],
    summary: 'This document.',
    security: [],
    responses: {
      200: { description: 'The document.', content: { 'application/json': { schema: { type: 'object' } } } },
      304: { description: 'The caller has it, as `If-None-Match` says.' },
    },
  },
}

/** The door of `/openapi.json`. The document does not change while the server runs, so it is made once. */
export function descriptionDoor(): HttpDoor {
  const others = { [WEBHOOK_PATH]: WEBHOOKS, ...Object.fromEntries(OPERATION_PATHS), [DESCRIPTION_PATH]: DESCRIPTION }
  const body = JSON.stringify(describeApi(VERSION, others))
  const etag = formatETag(body)
  // Readers such as Swagger UI are pages of another origin.
  const headers = { etag, 'cache-control': 'no-cache', 'access-control-allow-origin': '*' }
  return {
    name: 'description',
    body_bytes_max: 0,
    answerUnread: () => refused(413, 'send no body here'),
    async answer({ method, headers: asked }) {
      if (method !== 'GET') return refused(405, `send GET to ${DESCRIPTION_PATH}`)
      if (isKnown(etag, asked['if-none-match'])) return { status: 304, headers, body: '' }
      return { status: 200, headers: { ...headers, 'content-type': 'application/json; charset=UTF-8' }, body }
    },
  }
}

function refused(status: number, body: string): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}
