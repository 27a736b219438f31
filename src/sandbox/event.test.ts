import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FactKind } from '../domain/fact.ts'
import { formatImportLine, formatWebhook, type SandboxEvent, WEBHOOK_CHANGES_MAX } from './event.ts'

const COMMON = { timestamp: 1_795_000_000_123, message_id: '101', messenger_subscription_token: 'ann' }
const EVENT: SandboxEvent = {
  kind: 'delivered',
  ...COMMON,
  page_id: '201',
  marketing_message_tracking_id: 't1',
  mid: 'm_1',
  price_micros: '14000',
  country: 'US',
}

function changesOf(body: string) {
  return JSON.parse(body).entry.flatMap((entry: { changes: object[] }) => entry.changes)
}

test('formatImportLine() is one line of JSON with all that is known', () => {
  const line = formatImportLine(EVENT)
  assert.equal(line.includes('\n'), false)
  assert.deepEqual(JSON.parse(line), EVENT)
})

test('formatWebhook() has one entry per page', () => {
  const body = JSON.parse(formatWebhook([EVENT, { ...EVENT, page_id: '202' }, { ...EVENT, timestamp: 5 }]))
  assert.equal(body.object, 'page')
  const entries = body.entry.map((entry: { id: string; time: number; changes: object[] }) => [
    entry.id,
    entry.time,
    entry.changes.length,
  ])
  assert.deepEqual(entries, [
    ['201', EVENT.timestamp, 2],
    ['202', EVENT.timestamp, 1],
  ])
})

test('formatWebhook() tells of each kind what Meta tells, and never a price or a country', () => {
  const message = { page_id: 201, app_id: 1_000_000_000_000_301, mid: 'm_1', marketing_message_tracking_id: 't1' }
  const { mid: _, ...read } = message
  const cases: [FactKind, string, object][] = [
    ['sent', 'marketing_message_echoes', message],
    ['delivered', 'marketing_message_deliveries', message],
    ['read', 'marketing_message_reads', { ...read, recipient_id: null }],
    ['clicked', 'marketing_message_clicks', { page_id: 201, mid: 'm_1', recipient_id: null }],
  ]
  for (const [kind, field, own] of cases) {
    const [change] = changesOf(formatWebhook([{ ...EVENT, kind }]))
    assert.deepEqual(change, { field, value: { field, ...COMMON, ...own } })
  }
  const [failed] = changesOf(formatWebhook([{ ...EVENT, kind: 'failed', error_message: 'away' }]))
  const own = { page_id: 201, app_id: message.app_id, business_id: 1_000_000_000_000_401, error_message: 'away' }
  assert.deepEqual(failed, { field: 'marketing_message_delivery_failed', value: { ...COMMON, ...own } })
})

test('formatWebhook() keeps every digit of an id, and tells of clicks in seconds when asked', () => {
  const click: SandboxEvent = { ...EVENT, kind: 'clicked', page_id: '12345678901234567891' }
  const [{ value }] = changesOf(formatWebhook([click, EVENT], 's'))
  assert.deepEqual([value.page_id, value.timestamp], ['12345678901234567891', 1_795_000_000])
})

test('formatWebhook() refuses more changes than Meta sends', () => {
  assert.equal(changesOf(formatWebhook(Array(WEBHOOK_CHANGES_MAX).fill(EVENT))).length, WEBHOOK_CHANGES_MAX)
  assert.throws(() => formatWebhook(Array(WEBHOOK_CHANGES_MAX + 1).fill(EVENT)), /at most 1000 changes/)
})
