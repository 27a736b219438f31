import { formatSignature } from '../src/ingest/signature.ts'
import { formatWebhook, type SandboxEvent } from '../src/sandbox/event.ts'
import { formatRequest } from './requests.ts'

export const WEBHOOK_PATH = '/webhooks/messenger'

/** Takes the next facts and makes webhook bodies of them, each with the same number of changes. */
export function* takeBodies(
  live: Iterator<SandboxEvent, void>,
  changes: number,
  bodies: number,
): Generator<Buffer<ArrayBuffer>, void, undefined> {
  for (let i = 0; i < bodies; i++) {
    const events: SandboxEvent[] = []
    while (events.length < changes) events.push(take(live))
    yield Buffer.from(formatWebhook(events))
  }
}

export function webhookHeaders(body: Buffer, app_secret: string): Record<string, string> {
  return { 'content-type': 'application/json', 'x-hub-signature-256': formatSignature(body, app_secret) }
}

export function formatWebhookRequest(body: Buffer, app_secret: string): Buffer {
  const headers = { ...webhookHeaders(body, app_secret), 'content-length': String(body.length) }
  return formatRequest(`POST ${WEBHOOK_PATH}`, headers, body)
}

function take(live: Iterator<SandboxEvent, void>): SandboxEvent {
  const { value } = live.next()
  if (value !== undefined) return value
  throw new Error('the live facts have run out: raise LIVE_FACTS_MAX')
}
