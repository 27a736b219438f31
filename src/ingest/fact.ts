import { parseCountry } from '../domain/country.ts'
import { FACT_AT_MIN_MS, FACT_KINDS, type Fact, type FactKind, resolveFactTime } from '../domain/fact.ts'
import { PRICE_MICROS_MAX } from '../domain/money.ts'
import type { Pseudonyms } from './pseudonym.ts'

/** A fact as it came in, in the words of an import line; nothing of it is known to be right. */
export interface FactRecord {
  readonly kind?: unknown
  readonly timestamp?: unknown
  readonly message_id?: unknown
  readonly page_id?: unknown
  readonly messenger_subscription_token?: unknown
  readonly marketing_message_tracking_id?: unknown
  readonly mid?: unknown
  readonly price_micros?: unknown
  readonly country?: unknown
  readonly btn_name?: unknown
  readonly error_message?: unknown
}

/** Longer texts are no ids of Meta's. */
export const ID_LENGTH_MAX = 512

/** Characters of Meta's reason for a failure that are kept. */
export const ERROR_MESSAGE_LENGTH_MAX = 500

/** Messenger's buttons have labels of some twenty characters; a longer text is none. */
export const BTN_NAME_LENGTH_MAX = 100

/** Thrown for a record that is no fact; the message names the key, its value and what was expected. */
export class FactError extends Error {
  override readonly name = 'FactError'
}

/**
 * Parses a record to a fact with hashes in the place of personal ids. A time before 2015 or more than a day after
 * `now_ms` is an error (design 3). Throws a FactError.
 */
export function parseFact(record: FactRecord, pseudonyms: Pseudonyms, now_ms: number): Fact {
  const kind = parseKind(record.kind)
  const isMessage = kind === 'sent' || kind === 'delivered' || kind === 'read'
  return {
    kind,
    at: parseTime(record.timestamp, now_ms),
    ad_id: parseId('message_id', record.message_id),
    page_id: parseId('page_id', record.page_id),
    subscriber: parseSubscriber(record.messenger_subscription_token, pseudonyms),
    tracking_id: isMessage ? parseTrackingId(record.marketing_message_tracking_id) : null,
    mid: kind === 'failed' ? null : parseMid(record.mid, pseudonyms),
    price_micros: parsePrice(record.price_micros, isMessage),
    country: parseNamedCountry(record.country),
    btn_name: parseButton(record.btn_name, kind),
    error_message: kind === 'failed' ? parseReason(record.error_message) : null,
  }
}

function parseKind(value: unknown): FactKind {
  const kind = FACT_KINDS.find((known) => known === value)
  if (kind === undefined) throw wrong('kind', value, `one of ${FACT_KINDS.join(', ')}`)
  return kind
}

function parseTime(value: unknown, now_ms: number): number {
  const at = resolveFactTime(timestampOf(value), now_ms)
  if (at !== undefined) return at
  throw wrong(
    'timestamp',
    value,
    'a time between 2015 and a day from now, in seconds, milliseconds or ISO 8601 with an offset',
  )
}

function timestampOf(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return Number.NaN
  if (/^\d+(?:\.\d+)?$/.test(value)) return Number(value)
  try {
    const at = Temporal.Instant.from(value).epochMilliseconds
    // A number so small would be read as seconds.
    return at < FACT_AT_MIN_MS ? Number.NaN : at
  } catch {
    return Number.NaN
  }
}

const DIGITS = /^\d{1,20}$/

/** Ids are text; a number stands for its digits as long as it has them all. */
function parseId(key: string, value: unknown): string {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
  if (typeof text === 'string' && DIGITS.test(text)) return text
  throw wrong(key, value, 'an id of 1 to 20 digits, as text')
}

function parseSubscriber(token: unknown, pseudonyms: Pseudonyms): string {
  const text = tokenOf(token)
  if (text !== undefined) return pseudonyms.subscriber(text)
  // The value is personal, so the message does not repeat it.
  const isMissing = token === undefined || token === null || token === ''
  throw new FactError(`messenger_subscription_token is ${isMissing ? 'missing' : 'wrong'}: it must be ${TOKEN_FORM}`)
}

/** The text of a `messenger_subscription_token`; `undefined` for what is none. */
export function tokenOf(value: unknown): string | undefined {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
  return isToken(text) ? text : undefined
}

/** What a `messenger_subscription_token` looks like, for messages that cannot show it. */
export const TOKEN_FORM = `a text of 1 to ${ID_LENGTH_MAX} characters, in UTF-8`

/** Whether a value can be a `messenger_subscription_token`; a text that was not UTF-8 has lost what it was. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= ID_LENGTH_MAX && !value.includes('\ufffd')
}

const PRINTABLE = /^[!-~]+$/

function parseTrackingId(value: unknown): string {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
  if (typeof text === 'string' && text.length <= ID_LENGTH_MAX && PRINTABLE.test(text)) return text
  throw wrong(
    'marketing_message_tracking_id',
    value,
    `a text of 1 to ${ID_LENGTH_MAX} printable ASCII characters, without spaces`,
  )
}

/** The text of a `mid`; Meta leaves it out, or sends `null` or 0, where it may not tell it (contract 13.5). `undefined` for what is none. */
export function midOf(mid: unknown): string | null | undefined {
  if (mid === undefined || mid === null || mid === 0 || mid === '' || mid === '0') return null
  const text = typeof mid === 'number' && Number.isSafeInteger(mid) ? String(mid) : mid
  return typeof text === 'string' && text.length <= ID_LENGTH_MAX ? text : undefined
}

function parseMid(mid: unknown, pseudonyms: Pseudonyms): string | null {
  const text = midOf(mid)
  if (text !== undefined) return text === null ? null : pseudonyms.mid(text)
  throw new FactError(`mid must be a text of at most ${ID_LENGTH_MAX} characters, or be left out`)
}

function parsePrice(value: unknown, isMessage: boolean): bigint | null {
  if (value === undefined || value === null || value === '') return null
  if (!isMessage)
    throw wrong('price_micros', value, 'on a sent, delivered or read fact: a click or failure has no price')
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
  if (typeof text === 'string' && DIGITS.test(text) && BigInt(text) <= PRICE_MICROS_MAX) return BigInt(text)
  throw wrong('price_micros', value, `whole micros of the account's currency, 0 to ${PRICE_MICROS_MAX}`)
}

function parseNamedCountry(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null
  const country = typeof value === 'string' ? parseCountry(value) : undefined
  if (country === undefined) throw wrong('country', value, 'the ISO 3166-1 code of a country')
  return country
}

/** The spaces around a label are nobody's wish, and would make it another. */
function parseButton(value: unknown, kind: FactKind): string | null {
  const label = typeof value === 'string' ? value.trim() : value
  if (label === undefined || label === null || label === '') return null
  if (kind !== 'clicked') throw wrong('btn_name', value, 'on a clicked fact: nothing else has a button')
  if (typeof label === 'string' && label.length <= BTN_NAME_LENGTH_MAX) return storable(label)
  throw wrong('btn_name', value, `a text of at most ${BTN_NAME_LENGTH_MAX} characters`)
}

/** The reason of a failure as it is kept. */
export function parseReason(value: unknown): string {
  return typeof value === 'string' ? storable(value.slice(0, ERROR_MESSAGE_LENGTH_MAX)) : ''
}

/** A text as it comes back from every engine: one that came back as another would be counted again. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}

const VALUE_LENGTH_MAX = 80

function wrong(key: string, value: unknown, expected: string): FactError {
  if (value === undefined) return new FactError(`${key} is missing: it must be ${expected}`)
  const text = JSON.stringify(value) ?? String(value)
  return new FactError(`${key} is ${text.slice(0, VALUE_LENGTH_MAX)}: it must be ${expected}`)
}
