import { timingSafeEqual } from 'node:crypto'
import { isSigned } from './signature.ts'
import type { Receipt } from './writer.ts'

export const WEBHOOK_PATH = '/webhooks/messenger'

/** The longest webhook body: a thousand changes of Meta's, several times over. */
export const WEBHOOK_BODY_BYTES_MAX = 4 * 1_048_576

/** What a sender is asked to wait while the writer is behind. */
export const RETRY_AFTER_S = 5

/** A request to the webhook door as the server read it off the wire. */
export interface WebhookRequest {
  readonly method: string
  /** As sent, without the `?`. */
  readonly query: string
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array | undefined
}

export interface WebhookResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What the webhook door needs of the world. */
export interface WebhookDoor {
  /** Any of them may have signed: an old and a new one while they are rotated. */
  readonly app_secrets: readonly string[]
  readonly verify_token: string | undefined
  readonly submit: (body: Uint8Array) => Promise<Receipt>
}

/** Answers `GET|POST /webhooks/messenger` (contract 13). 200 means that every fact of the body is committed. */
export async function answerWebhook(request: WebhookRequest, door: WebhookDoor): Promise<WebhookResponse> {
  if (request.method === 'GET') return answerHandshake(new URLSearchParams(request.query), door)
  if (request.method !== 'POST')
    return plain(405, 'send GET for the handshake, POST for a webhook', { allow: 'GET, POST' })
  if (door.app_secrets.length === 0) {
    return plain(403, 'webhooks are refused because the server has no app secret: start it with --app-secret')
  }
  const body = request.body ?? new Uint8Array()
  const signature = request.headers['x-hub-signature-256']
  if (!isSigned(body, signature, door.app_secrets)) {
    const fault = signature === undefined ? 'is missing: it must be' : 'is not'
    return plain(403, `the X-Hub-Signature-256 header ${fault} the signature of this body under the app secret`)
  }
  return answerReceipt(await door.submit(body))
}

/** The answer to a webhook that has no place in the writer's queue. */
export function answerSurplusWebhook(): WebhookResponse {
  return again('the writer is behind')
}

/** The answer to a body past WEBHOOK_BODY_BYTES_MAX, or to one of too many that come in at once. */
export function answerUnreadWebhook(why: 'oversized' | 'crowded'): WebhookResponse {
  if (why === 'crowded') return again('too many bodies come in at once')
  return plain(413, `the body is longer than ${WEBHOOK_BODY_BYTES_MAX} bytes: send fewer changes at once`)
}

/** Meta asks whether this callback is ours, and expects its challenge back (contract 13.1). */
function answerHandshake(query: URLSearchParams, { verify_token }: WebhookDoor): WebhookResponse {
  if (verify_token === undefined) {
    return plain(403, 'the handshake is refused because the server has no verify token: start it with --verify-token')
  }
  const isOurs = query.get('hub.mode') === 'subscribe' && isEqual(query.get('hub.verify_token') ?? '', verify_token)
  if (!isOurs) return plain(403, 'hub.mode must be subscribe, and hub.verify_token the verify token of this server')
  return plain(200, query.get('hub.challenge') ?? '')
}

function answerReceipt(receipt: Receipt): WebhookResponse {
  switch (receipt.kind) {
    case 'committed':
      return plain(200, 'committed')
    case 'unreadable':
      return plain(400, receipt.reason)
    case 'behind':
      return answerSurplusWebhook()
    case 'failed':
      return again('the webhook could not be committed')
  }
}

function again(reason: string): WebhookResponse {
  return plain(503, `${reason}: send the webhook again`, { 'retry-after': String(RETRY_AFTER_S) })
}

function isEqual(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)]
  return x.length === y.length && timingSafeEqual(x, y)
}

function plain(status: number, body: string, headers: Record<string, string> = {}): WebhookResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body }
}
