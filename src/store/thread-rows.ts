import type { Hour } from '../domain/hour.ts'
import type { RegionClass } from '../domain/region.ts'
import {
  EMPTY_RESOLUTION,
  isSameMessage,
  type Resolution,
  type ResolvedClick,
  type ResolvedMessage,
} from '../domain/resolution.ts'
import {
  type Click,
  compareClicks,
  compareFailures,
  compareMessages,
  EMPTY_THREAD,
  type Failure,
  joinObserved,
  type Message,
  messageTime,
  type Observed,
  type Thread,
} from '../domain/thread.ts'
import type { StoredThread, ThreadChange, ThreadKey } from './threads.ts'

/** The tables in which the rows of threads stand. */
export const THREAD_TABLES = ['message', 'click', 'failure', 'recipient'] as const

/**
 * One row of a thread, whichever table it is of: kind, tracking id, times, mid, … as READ_THREAD of a drawer names them. Numbers
 * may come as numbers or bigints.
 */
export type ThreadRow = readonly unknown[]

/** What is written to one row, in the order of its columns; tracking ids are texts. */
export type WrittenRow = (number | bigint | string | null)[]

/** Of most changes there is nothing to write to most tables. */
const NOTHING: readonly never[] = []

/** UUIDs, as Meta's tracking ids are: 16 bytes say all of it. */
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The text of a UUID of these 32 hex digits. */
export function formatUuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The rows of messages that differ: the lists are sorted alike, and every message of before is in after. */
export function changedMessages({ before, facts, resolution }: ThreadChange): WrittenRow[] {
  const rows: WrittenRow[] = []
  const isMoved = isElsewhere(before.resolution, resolution) || facts.country !== before.facts.country
  let place = 0
  for (let i = 0; i < facts.messages.length; i++) {
    const message = facts.messages[i] as Message
    const resolved = resolution.messages[i] as ResolvedMessage
    const known = before.facts.messages[place]
    const isKnown = known?.tracking_id === message.tracking_id
    const knownResolved = isKnown ? before.resolution.messages[place] : undefined
    if (isKnown) place++
    if (known === message && !isMoved && isSameMessage(resolved, knownResolved)) continue
    const own_at = messageTime(message)
    rows.push([
      before.ad,
      before.subscriber,
      message.tracking_id,
      message.sent_at,
      message.delivered_at,
      message.read_at,
      message.mid,
      message.price_micros?.value ?? null,
      message.price_micros && message.price_micros.at - own_at,
      resolution.country,
      facts.country && facts.country.at - own_at,
      resolution.region_class,
      resolved.sent_hour,
      resolved.delivered_hour,
      resolved.read_hour,
      resolved.resolved_price_micros,
    ])
  }
  return rows
}

/** The keys of clicks that are gone: one without `mid` goes when the same click comes with one. */
export function goneClicks({ before, facts }: ThreadChange): readonly WrittenRow[] {
  if (before.facts.clicks.length === 0 || before.facts.clicks === facts.clicks) return NOTHING
  const there = new Set(facts.clicks.map(keyOfClick))
  return before.facts.clicks
    .filter((click) => !there.has(keyOfClick(click)))
    .map(({ at, mid }) => [before.ad, before.subscriber, at, mid ?? ''])
}

/** The rows of clicks that differ: one person may click thousands of times, a click at a time. */
export function changedClicks({ before, facts, resolution }: ThreadChange): readonly WrittenRow[] {
  if (facts.clicks.length === 0) return NOTHING
  const { country, region_class } = resolution
  const isMoved = isElsewhere(before.resolution, resolution)
  const known = new Map(before.facts.clicks.map((click, i) => [keyOfClick(click), i]))
  const rows: WrittenRow[] = []
  for (const [i, click] of facts.clicks.entries()) {
    const { hour, credited } = resolution.clicks[i] as ResolvedClick
    const tracking_id = idAt(facts, credited)
    const place = isMoved ? undefined : known.get(keyOfClick(click))
    if (place !== undefined && isSameClick(before, place, { click, hour, tracking_id })) continue
    const { at, mid, btn_name } = click
    rows.push([before.ad, before.subscriber, at, mid ?? '', country, region_class, hour, tracking_id, btn_name])
  }
  return rows
}

function keyOfClick({ at, mid }: Click): string {
  return `${at} ${mid ?? ''}`
}

function idAt({ messages }: Thread, credited: number | null): string | null {
  return credited === null ? null : (messages[credited]?.tracking_id ?? null)
}

function isSameClick(
  { facts, resolution }: StoredThread,
  place: number,
  { click, hour, tracking_id }: { readonly click: Click; readonly hour: Hour; readonly tracking_id: string | null },
): boolean {
  const known = resolution.clicks[place]
  const isCreditedSo = known !== undefined && idAt(facts, known.credited) === tracking_id
  return isCreditedSo && known.hour === hour && facts.clicks[place]?.btn_name === click.btn_name
}

export function changedFailures({ before, facts, resolution }: ThreadChange): readonly WrittenRow[] {
  if (facts.failures.length === 0) return NOTHING
  if (facts.failures === before.facts.failures && resolution.failures === before.resolution.failures) return NOTHING
  return facts.failures.map(({ at, error_message }, i) => {
    return [before.ad, before.subscriber, at, error_message, resolution.failures[i] as number]
  })
}

/** The country that a fact named. With a message it stands in the message's row. */
export function changedRecipient({ before, facts }: ThreadChange): readonly WrittenRow[] {
  const { country, messages } = facts
  if (messages.length > 0 || country === null || country === before.facts.country) return NOTHING
  return [[before.ad, before.subscriber, country.value, country.at]]
}

/** Makes a text of a tracking id as it stands in an engine's rows. */
type Unpack = (tracking_id: unknown) => string

/** Puts the rows of a thread together. */
export function storedThread(of: ThreadKey, rows: readonly ThreadRow[], unpack: Unpack): StoredThread {
  const { account, ad, subscriber } = of
  const isNew = rows.length === 0
  if (isNew) return { account, ad, subscriber, facts: EMPTY_THREAD, resolution: EMPTY_RESOLUTION, listed_country: null }
  const { message, click, failure, recipient, listed } = byTable(rows)
  // The engine sorts by bytes and puts '' first; the domain's order decides.
  const messages = message.map((row) => ({ fact: messageOf(row, unpack), resolved: resolvedMessageOf(row) }))
  const clicks = click.map((row) => ({ fact: clickOf(row), row }))
  const failures = failure.map((row) => ({ fact: failureOf(row), day: Number(row[10]) }))
  messages.sort((a, b) => compareMessages(a.fact, b.fact))
  clicks.sort((a, b) => compareClicks(a.fact, b.fact))
  failures.sort((a, b) => compareFailures(a.fact, b.fact))
  const placed = message[0] ?? click[0]
  const creditOf = (row: ThreadRow) => (row[1] === null ? null : placeOf(unpack(row[1]), messages))
  return {
    account,
    ad,
    subscriber,
    facts: {
      country: namedCountry(recipient[0], message),
      messages: messages.map(({ fact }) => fact),
      clicks: clicks.map(({ fact }) => fact),
      failures: failures.map(({ fact }) => fact),
    },
    resolution: {
      country: textOf(placed?.[8]),
      region_class: (placed?.[9] ?? EMPTY_RESOLUTION.region_class) as RegionClass,
      messages: messages.map(({ resolved }) => resolved),
      clicks: clicks.map(({ row }) => ({ hour: Number(row[10]), credited: creditOf(row), btn_name: textOf(row[14]) })),
      failures: failures.map(({ day }) => day),
    },
    listed_country: textOf(listed[0]?.[8]),
  }
}

/** The rows of a thread by the table that they are of, as READ_THREAD names it. */
function byTable(rows: readonly ThreadRow[]): Record<(typeof THREAD_TABLES)[number] | 'listed', ThreadRow[]> {
  const tables = { message: [], click: [], failure: [], recipient: [], listed: [] } as ReturnType<typeof byTable>
  for (const row of rows) tables[row[0] as keyof typeof tables].push(row)
  return tables
}

function placeOf(tracking_id: string, messages: readonly { readonly fact: Message }[]): number | null {
  const place = messages.findIndex(({ fact }) => fact.tracking_id === tracking_id)
  return place < 0 ? null : place
}

/** A thread's first messages may have come after its country did, so both places are looked at. */
function namedCountry(recipient: ThreadRow | undefined, messageRows: readonly ThreadRow[]): Observed<string> | null {
  let country = recipient === undefined ? null : { value: String(recipient[8]), at: Number(recipient[2]) }
  for (const row of messageRows) {
    const told_after = numberOf(row[14])
    if (told_after === null) continue
    country = joinObserved(country, { value: String(row[8]), at: ownTime(row) + told_after })
  }
  return country
}

function ownTime(row: ThreadRow): number {
  return Math.min(numberOf(row[2]) ?? Infinity, numberOf(row[3]) ?? Infinity, numberOf(row[4]) ?? Infinity)
}

function messageOf(row: ThreadRow, unpack: Unpack): Message {
  const price = numberOf(row[6])
  const times = { sent_at: numberOf(row[2]), delivered_at: numberOf(row[3]), read_at: numberOf(row[4]) }
  const message = { tracking_id: unpack(row[1]), ...times, mid: textOf(row[5]), price_micros: null }
  if (price === null) return message
  return { ...message, price_micros: { value: BigInt(price), at: messageTime(message) + Number(row[7]) } }
}

function resolvedMessageOf(row: ThreadRow): ResolvedMessage {
  const price = numberOf(row[13])
  return {
    sent_hour: numberOf(row[10]),
    delivered_hour: numberOf(row[11]),
    read_hour: numberOf(row[12]),
    resolved_price_micros: price === null ? null : BigInt(price),
  }
}

function clickOf(row: ThreadRow): Click {
  return { at: Number(row[2]), mid: row[5] === '' ? null : String(row[5]), btn_name: textOf(row[14]) }
}

function failureOf(row: ThreadRow): Failure {
  return { at: Number(row[2]), error_message: String(row[1]) }
}

function isElsewhere(a: Resolution, b: Resolution): boolean {
  return a.country !== b.country || a.region_class !== b.region_class
}

function numberOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value)
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}
