import type { Fact } from './fact.ts'

/** What someone told us outright, and when: the latest observation stands, then the greater value. */
export interface Observed<T> {
  readonly value: T
  readonly at: number
}

/** One send to one subscriber, with the earliest time of each kind, in milliseconds since 1970. */
export interface Message {
  readonly tracking_id: string
  readonly sent_at: number | null
  readonly delivered_at: number | null
  readonly read_at: number | null
  readonly mid: string | null
  readonly price_micros: Observed<bigint> | null
}

/** One tap on a link in a message; `mid` names the message, and `btn_name` the button, where a fact did. */
export interface Click {
  readonly at: number
  readonly mid: string | null
  readonly btn_name: string | null
}

/** One failed delivery. */
export interface Failure {
  readonly at: number
  readonly error_message: string
}

/**
 * All that is known of one subscriber within one ad. Each list is sorted by what tells its elements apart, so equal
 * threads are equal as values.
 */
export interface Thread {
  readonly country: Observed<string> | null
  readonly messages: readonly Message[]
  readonly clicks: readonly Click[]
  readonly failures: readonly Failure[]
}

const NONE: readonly never[] = []

/** The thread of which nothing is known: the least element of the semilattice. */
export const EMPTY_THREAD: Thread = { country: null, messages: NONE, clicks: NONE, failures: NONE }

/** The thread of which one fact is known. */
export function threadOf(fact: Fact): Thread {
  const country = fact.country === null ? null : { value: fact.country, at: fact.at }
  if (fact.kind === 'clicked') {
    return { ...EMPTY_THREAD, country, clicks: [{ at: fact.at, mid: fact.mid, btn_name: fact.btn_name }] }
  }
  if (fact.kind === 'failed') {
    return { ...EMPTY_THREAD, country, failures: [{ at: fact.at, error_message: fact.error_message ?? '' }] }
  }
  return { country, messages: [messageOf(fact)], clicks: NONE, failures: NONE }
}

/**
 * Joins what two threads of the same subscriber and ad know. Commutative, associative and idempotent, so facts may
 * come late, twice and out of order. Returns `a` itself when `b` adds nothing.
 */
export function merge(a: Thread, b: Thread): Thread {
  const country = joinObserved(a.country, b.country)
  const messages = mergeSorted(a.messages, b.messages, compareMessages, joinMessages)
  const clicks = mergeClicks(a.clicks, b.clicks)
  const failures = mergeSorted(a.failures, b.failures, compareFailures, first)
  const adds = country !== a.country || messages !== a.messages || clicks !== a.clicks || failures !== a.failures
  return adds ? { country, messages, clicks, failures } : a
}

/** Joins any number of threads, half with half: each join goes over all of both. */
export function mergeAll(threads: readonly Thread[]): Thread {
  if (threads.length <= 1) return threads[0] ?? EMPTY_THREAD
  const half = threads.length >> 1
  return merge(mergeAll(threads.slice(0, half)), mergeAll(threads.slice(half)))
}

/** The earliest known time of a message: its place among the messages of its thread. */
export function messageTime(message: Message): number {
  return Math.min(message.sent_at ?? Infinity, message.delivered_at ?? Infinity, message.read_at ?? Infinity)
}

/** The latest time that a thread knows: of its messages' first times, its clicks and its failures. */
export function latestTime({ messages, clicks, failures }: Thread): number {
  let latest = -Infinity
  for (const { sent_at, delivered_at, read_at } of messages) {
    latest = Math.max(latest, sent_at ?? -Infinity, delivered_at ?? -Infinity, read_at ?? -Infinity)
  }
  for (const { at } of [...clicks, ...failures]) latest = Math.max(latest, at)
  return latest
}

function messageOf(fact: Fact): Message {
  return {
    tracking_id: fact.tracking_id ?? '',
    sent_at: fact.kind === 'sent' ? fact.at : null,
    delivered_at: fact.kind === 'delivered' ? fact.at : null,
    read_at: fact.kind === 'read' ? fact.at : null,
    mid: fact.mid,
    price_micros: fact.price_micros === null ? null : { value: fact.price_micros, at: fact.at },
  }
}

function joinMessages(a: Message, b: Message): Message {
  const sent_at = least(a.sent_at, b.sent_at)
  const delivered_at = least(a.delivered_at, b.delivered_at)
  const read_at = least(a.read_at, b.read_at)
  const mid = least(a.mid, b.mid)
  const price_micros = joinObserved(a.price_micros, b.price_micros)
  const adds =
    sent_at !== a.sent_at ||
    delivered_at !== a.delivered_at ||
    read_at !== a.read_at ||
    mid !== a.mid ||
    price_micros !== a.price_micros
  return adds ? { tracking_id: a.tracking_id, sent_at, delivered_at, read_at, mid, price_micros } : a
}

/**
 * A click without `mid` at the same millisecond as one with it is the same click (design 3). The button belongs to the
 * millisecond, and the greater name stands: which of two clicks at once the one without `mid` was, nobody can tell.
 */
function mergeClicks(a: readonly Click[], b: readonly Click[]): readonly Click[] {
  const union = mergeSorted(a, b, compareClicks, joinClicks)
  if (union === a || union.length === 1) return union
  const distinct: Click[] = []
  for (const at of Map.groupBy(union, (click) => click.at).values()) {
    const btn_name = at.reduce((name: string | null, click) => greatest(name, click.btn_name), null)
    const named = at.length === 1 ? at : at.filter(({ mid }) => mid !== null)
    for (const click of named) distinct.push(click.btn_name === btn_name ? click : { ...click, btn_name })
  }
  return sameAs(a, distinct)
}

function joinClicks(a: Click, b: Click): Click {
  const btn_name = greatest(a.btn_name, b.btn_name)
  return btn_name === a.btn_name ? a : { ...a, btn_name }
}

/** The latest observation, then the greater value. */
export function joinObserved<T>(a: Observed<T> | null, b: Observed<T> | null): Observed<T> | null {
  if (a === null || b === null) return a ?? b
  return b.at > a.at || (b.at === a.at && b.value > a.value) ? b : a
}

function least<T extends number | string>(a: T | null, b: T | null): T | null {
  if (a === null || b === null) return a ?? b
  return b < a ? b : a
}

function greatest(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b
  return b > a ? b : a
}

function first<T>(a: T): T {
  return a
}

export function compareMessages(a: Message, b: Message): number {
  return compareValues(a.tracking_id, b.tracking_id)
}

/** By time, then by `mid`; a click without one comes after those with one. */
export function compareClicks(a: Click, b: Click): number {
  if (a.at !== b.at || a.mid === b.mid) return a.at - b.at
  if (a.mid === null) return 1
  return b.mid === null ? -1 : compareValues(a.mid, b.mid)
}

export function compareFailures(a: Failure, b: Failure): number {
  return a.at - b.at || compareValues(a.error_message, b.error_message)
}

function compareValues(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Merges two sorted lists and joins the elements that both have. Returns `a` itself when `b` adds nothing. */
function mergeSorted<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (x: T, y: T) => number,
  join: (x: T, y: T) => T,
): readonly T[] {
  if (b.length === 0) return a
  if (a.length === 0) return b
  const merged: T[] = []
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    const x = a[i] as T
    const y = b[j] as T
    const order = compare(x, y)
    merged.push(order === 0 ? join(x, y) : order < 0 ? x : y)
    if (order <= 0) i++
    if (order >= 0) j++
  }
  return sameAs(a, [...merged, ...a.slice(i), ...b.slice(j)])
}

function sameAs<T>(a: readonly T[], merged: readonly T[]): readonly T[] {
  return merged.length === a.length && merged.every((element, i) => element === a[i]) ? a : merged
}
