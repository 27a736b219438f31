import type { Fact, FactKind } from '../domain/fact.ts'
import type { RejectedChange } from '../store/set-aside.ts'
import { FactError, type FactRecord, ID_LENGTH_MAX, midOf, parseFact, parseReason, tokenOf } from './fact.ts'
import { parseJson } from './json.ts'
import { KEPT_PSEUDONYMS, type Pseudonyms } from './pseudonym.ts'

/** The Page fields that Messenger reports marketing messages under, and what they say (contract 13.5). */
export const WEBHOOK_FIELDS: ReadonlyMap<string, FactKind> = new Map([
  ['marketing_message_echoes', 'sent'],
  ['marketing_message_deliveries', 'delivered'],
  ['marketing_message_reads', 'read'],
  ['marketing_message_clicks', 'clicked'],
  ['marketing_message_delivery_failed', 'failed'],
])

/** Meta sends at most 1000 changes in a body (contract 13.3); far more are no webhook. */
export const CHANGES_MAX = 10_000

/** What a webhook body says. */
export interface Webhook {
  readonly facts: Fact[]
  /** Changes of a marketing message that are no facts. */
  readonly rejected: RejectedChange[]
  /** Changes of other fields that the page is subscribed to: not ours. */
  ignored: number
}

/** Thrown for a body that is no webhook at all. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError'
}

type Json = Readonly<Record<string, unknown>>

/**
 * Parses a webhook body in any of the four shapes of contract 13.4. A change that cannot be read is set aside with its
 * reason and does not touch its neighbours. Throws a WebhookError when the body is not JSON, or far too long.
 */
export function parseWebhook(text: string, pseudonyms: Pseudonyms, now_ms: number): Webhook {
  const webhook: Webhook = { facts: [], rejected: [], ignored: 0 }
  const changes = listChanges(parseBody(text))
  if (changes.length > CHANGES_MAX) {
    throw new WebhookError(`cannot read the webhook: it has ${changes.length} changes, at most ${CHANGES_MAX} are read`)
  }
  for (const { change, page_id } of changes) readChange(webhook, change, page_id, pseudonyms, now_ms)
  return webhook
}

/** Parses again what a rejected change kept. Throws a FactError when it still is no fact. */
export function parseRejected(change: string, now_ms: number): Fact {
  const record = JSON.parse(change) as Json
  return parseFact({ ...record, kind: kindOf(record) }, KEPT_PSEUDONYMS, now_ms)
}

function parseBody(text: string): unknown {
  try {
    return parseJson(text)
  } catch (cause) {
    throw new WebhookError('cannot read the webhook: the body is not JSON', { cause })
  }
}

interface EnteredChange {
  readonly change: unknown
  /** The page of the entry, for a payload that does not name its own. */
  readonly page_id: unknown
}

function listChanges(body: unknown): EnteredChange[] {
  if (!isObject(body)) throw new WebhookError('cannot read the webhook: the body is not a JSON object')
  if (!Array.isArray(body.entry)) return [{ change: body, page_id: undefined }]
  return body.entry.filter(isObject).flatMap((entry) => {
    const { changes, messaging, id } = entry
    const listed = [...(Array.isArray(changes) ? changes : []), ...(Array.isArray(messaging) ? messaging : [])]
    return listed.map((change) => ({ change, page_id: id }))
  })
}

function readChange(webhook: Webhook, change: unknown, page_id: unknown, pseudonyms: Pseudonyms, now_ms: number): void {
  const payload = isObject(change) ? payloadOf(change) : undefined
  if (payload === undefined || !isMarketingMessage(payload)) {
    webhook.ignored++
    return
  }
  // Prices, countries and buttons are not Messenger's to say.
  const unsaid = { price_micros: null, country: null, btn_name: null }
  const record = { ...payload, page_id: payload.page_id ?? page_id, ...unsaid }
  try {
    webhook.facts.push(parseFact({ ...record, kind: kindOf(payload) }, pseudonyms, now_ms))
  } catch (error) {
    if (!(error instanceof FactError)) throw error
    webhook.rejected.push({ reason: error.message, change: formatRejected(record, pseudonyms) })
  }
}

/** The payload stands in `value`, or is the change itself; `field` stands in either (contract 13.4). */
function payloadOf(change: Json): Json {
  return isObject(change.value) ? { field: change.field, ...change.value } : change
}

function isMarketingMessage(payload: Json): boolean {
  return kindOfField(payload.field) !== undefined || 'messenger_subscription_token' in payload
}

function kindOfField(field: unknown): FactKind | undefined {
  return typeof field === 'string' ? WEBHOOK_FIELDS.get(field) : undefined
}

/** A failure comes without `field` (contract 13.5). */
function kindOf({ field, error_message }: Json): FactKind | undefined {
  const kind = kindOfField(field) ?? (error_message === undefined ? undefined : 'failed')
  if (kind !== undefined) return kind
  throw new FactError(`field is ${JSON.stringify(field)}: it must be one of ${[...WEBHOOK_FIELDS.keys()].join(', ')}`)
}

/**
 * What is kept of a change that is no fact: the keys of a fact, with pseudonyms in the place of personal ids. Read again, it is the
 * fact that the change would be, or none where the change would be none.
 */
function formatRejected(record: Json & FactRecord, pseudonyms: Pseudonyms): string {
  const token = tokenOf(record.messenger_subscription_token)
  const mid = midOf(record.mid)
  return JSON.stringify({
    field: scalar(record.field),
    timestamp: scalar(record.timestamp),
    message_id: scalar(record.message_id),
    page_id: scalar(record.page_id),
    messenger_subscription_token: token === undefined ? WRONG : pseudonyms.subscriber(token),
    marketing_message_tracking_id: scalar(record.marketing_message_tracking_id),
    mid: mid === null ? undefined : mid === undefined ? WRONG : pseudonyms.mid(mid),
    error_message: record.error_message === undefined ? undefined : parseReason(record.error_message),
  })
}

/** What is kept of a value that is no id: it is none when it is read again, either. */
const WRONG = false

function scalar(value: unknown): unknown {
  if (typeof value === 'string') return value.length > ID_LENGTH_MAX ? WRONG : value
  return typeof value === 'number' || typeof value === 'boolean' ? value : undefined
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
