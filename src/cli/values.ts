import { findTimeZone } from '../domain/calendar.ts'
import { DAY_MS, parseDay } from '../domain/day.ts'
import type { Account } from '../store/registry.ts'
import type { Store } from '../store/store.ts'
import { CliError, EXIT } from './error.ts'

/** Reads `act_<digits>`, or the digits alone, as an administrator types it. */
export function parseAccountId(text: string): string {
  const digits = /^(?:act_)?(\d{1,20})$/.exec(text)?.[1]
  if (digits !== undefined) return digits
  throw misused(`account is ${text}: it must be act_ and digits, such as act_1000000000000001`)
}

export function parseNodeId(what: string, text: string): string {
  if (/^\d{1,20}$/.test(text)) return text
  throw misused(`${what} is ${text}: it must be 1 to 20 digits`)
}

const NAME_LENGTH_MAX = 200

/** A name of an account or a campaign. */
export function parseName(text: string): string {
  const name = text.trim()
  if (name !== '' && name.length <= NAME_LENGTH_MAX) return name
  throw misused(`name is ${JSON.stringify(text)}: it must be a text of 1 to ${NAME_LENGTH_MAX} characters`)
}

export function parseCurrency(text: string): string {
  const currency = text.toUpperCase()
  if (Intl.supportedValuesOf('currency').includes(currency)) return currency
  throw misused(`currency is ${text}: it must be an ISO 4217 code such as USD`)
}

export function parseTimeZone(text: string): string {
  const zone = findTimeZone(text)
  if (zone !== undefined) return zone
  throw misused(`time zone is ${text}: it must be an IANA name such as America/Sao_Paulo`)
}

const HOUR_MS = 3_600_000

/** Milliseconds since 1970 of an end to come: the first moment of a day in UTC, or so many hours or days from now. */
export function parseExpiry(text: string, now_ms: number): number {
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(text) ?? []
  const day = parseDay(text)
  const expires_at = day === undefined ? now_ms + Number(count) * (unit === 'h' ? HOUR_MS : DAY_MS) : day * DAY_MS
  if (expires_at > now_ms) return expires_at
  throw misused(
    `expires is ${text}: it must be a day to come, such as 2027-01-31, or a time from now, such as 12h or 90d`,
  )
}

/** The account of this id. Throws a CliError that tells how to find those that are there. */
export async function findAccount(store: Store, text: string): Promise<Account> {
  const account = await store.registry.readAccount(parseAccountId(text))
  if (account !== undefined) return account
  throw new CliError(`there is no account ${text}; see: readout account list`)
}

/** Collects the values of an option that can be given again. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

export function misused(message: string): CliError {
  return new CliError(message, EXIT.misused)
}
