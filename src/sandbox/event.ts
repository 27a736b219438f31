import assert from 'node:assert/strict'
import type { FactKind } from '../domain/fact.ts'

/** Something that happened in the sandbox, in the shape of an import line; a webhook tells less of it. */
export interface SandboxEvent {
  readonly kind: FactKind
  /** In milliseconds since 1970. */
  readonly timestamp: number
  /** The ad. */
  readonly message_id: string
  readonly page_id: string
  readonly messenger_subscription_token: string
  /** The message that was sent, delivered or read; clicks and failures carry none. */
  readonly marketing_message_tracking_id?: string
  readonly mid?: string
  /** Whole micros in decimal digits: JSON has no bigint. */
  readonly price_micros?: string
  readonly country?: string
  /** The button that was clicked. */
  readonly btn_name?: string
  readonly error_message?: string
}

/** Meta puts at most so many updates in one call (contract 13.3). */
export const WEBHOOK_CHANGES_MAX = 1000

const SANDBOX_APP_ID = 1_000_000_000_000_301
const SANDBOX_BUSINESS_ID = 1_000_000_000_000_401

const WEBHOOK_FIELDS: Readonly<Record<FactKind, string>> = {
  sent: 'marketing_message_echoes',
  delivered: 'marketing_message_deliveries',
  read: 'marketing_message_reads',
  clicked: 'marketing_message_clicks',
  failed: 'marketing_message_delivery_failed',
}

/** One line of an import file, without its line break. */
export function formatImportLine(event: SandboxEvent): string {
  return JSON.stringify(event)
}

/**
 * The body of a webhook as Meta posts it, with one entry per page (contract 13.4 and 13.5). Meta does not document the
 * unit of `timestamp`; `'s'` plays a Meta that tells of clicks in seconds. Takes at most `WEBHOOK_CHANGES_MAX` events.
 */
export function formatWebhook(events: readonly SandboxEvent[], clickTimestamps: 'ms' | 's' = 'ms'): string {
  assert(events.length <= WEBHOOK_CHANGES_MAX, `a webhook holds at most ${WEBHOOK_CHANGES_MAX} changes`)
  const byPage = Map.groupBy(events, (event) => event.page_id)
  const entry = [...byPage].map(([id, ofPage]) => ({
    id,
    time: Math.max(...ofPage.map((event) => event.timestamp)),
    changes: ofPage.map((event) => ({
      field: WEBHOOK_FIELDS[event.kind],
      value: webhookValue(event, clickTimestamps),
    })),
  }))
  return JSON.stringify({ object: 'page', entry })
}

/** What each webhook tells differs from kind to kind; none tells a price, a country or a button (contract 13.5). */
function webhookValue(event: SandboxEvent, clickTimestamps: 'ms' | 's'): Record<string, unknown> {
  const { kind, timestamp, marketing_message_tracking_id, mid, error_message } = event
  const field = WEBHOOK_FIELDS[kind]
  const common = {
    page_id: numericId(event.page_id),
    timestamp,
    messenger_subscription_token: event.messenger_subscription_token,
    message_id: event.message_id,
  }
  switch (kind) {
    case 'sent':
    case 'delivered':
      return { field, ...common, app_id: SANDBOX_APP_ID, mid, marketing_message_tracking_id }
    case 'read':
      return { field, recipient_id: null, ...common, app_id: SANDBOX_APP_ID, marketing_message_tracking_id }
    case 'clicked': {
      const inUnit = clickTimestamps === 's' ? Math.floor(timestamp / 1000) : timestamp
      return { field, recipient_id: null, ...common, timestamp: inUnit, mid }
    }
    case 'failed':
      return { ...common, app_id: SANDBOX_APP_ID, business_id: SANDBOX_BUSINESS_ID, error_message }
  }
}

/** Ids are numbers in Meta's samples; one that a JSON number would change stays text. */
function numericId(id: string): number | string {
  const number = Number(id)
  return Number.isSafeInteger(number) ? number : id
}
