import type { Calendar } from './calendar.ts'
import type { Day } from './day.ts'
import { dayOfHour, type Hour } from './hour.ts'
import type { RateCard } from './rate-card.ts'
import { type RegionClass, regionClassOf } from './region.ts'
import { type Click, type Message, messageTime, type Thread } from './thread.ts'

/** What of the world a thread depends on. Whoever changes any of it has the threads it concerns resolved anew. */
export interface Context {
  /** Days and hours in the account's time zone. */
  readonly calendar: Calendar
  readonly rateCard: RateCard
  /** The subscriber's country in the operator's subscriber list. */
  readonly listed_country: string | null
}

/** The hours of a message in the account's time zone, and its price; `null` where nothing happened or is known. */
export interface ResolvedMessage {
  readonly sent_hour: Hour | null
  /** The hour of the delivery, or of its earliest proof. */
  readonly delivered_hour: Hour | null
  readonly read_hour: Hour | null
  /** The price of a delivered message; `null` while it is not delivered, or has no price. */
  readonly resolved_price_micros: bigint | null
}

/** The hour of a click, the place in `Thread.messages` of the message that it is credited to, and its button. */
export interface ResolvedClick {
  readonly hour: Hour
  readonly credited: number | null
  readonly btn_name: string | null
}

/** What a thread's facts mean in a context. Its lists stand in the order of the thread's own. */
export interface Resolution {
  readonly country: string | null
  readonly region_class: RegionClass
  readonly messages: readonly ResolvedMessage[]
  readonly clicks: readonly ResolvedClick[]
  readonly failures: readonly Day[]
}

/** Whether two resolutions of a message say the same. */
export function isSameMessage(a: ResolvedMessage, b: ResolvedMessage | undefined): boolean {
  return (
    a.sent_hour === b?.sent_hour &&
    a.delivered_hour === b.delivered_hour &&
    a.read_hour === b.read_hour &&
    a.resolved_price_micros === b.resolved_price_micros
  )
}

/** What the empty thread resolves to, in every context. */
export const EMPTY_RESOLUTION: Resolution = {
  country: null,
  region_class: 'c',
  messages: [],
  clicks: [],
  failures: [],
}

/** Resolves all that depends on the world, once, so that it can be stored beside the facts (design 3, sentence 2). */
export function resolve({ country: named, messages, clicks, failures }: Thread, context: Context): Resolution {
  const { calendar } = context
  const country = named?.value ?? context.listed_country
  const credits = clicks.map((click) => creditClick(click, messages))
  return {
    country,
    region_class: regionClassOf(country),
    messages: messages.map((message, i) => {
      const proof = message.delivered_at ?? earliestProof(message, clicks, credits, i)
      return resolveMessage(message, proof, country, context)
    }),
    clicks: clicks.map(({ at, btn_name }, i) => ({
      hour: calendar.hourOf(at),
      credited: credits[i] ?? null,
      btn_name,
    })),
    failures: failures.map(({ at }) => calendar.dayOf(at)),
  }
}

/**
 * The place of the message that a click is credited to: the one with its `mid`; else the latest whose own time is
 * not after the click, compared by the second, because either time may have come in seconds; else the earliest.
 * Without `mid` it is an estimate. `null` in a thread without messages.
 */
export function creditClick(click: Click, messages: readonly Message[]): number | null {
  let named: number | null = null
  let latest: number | null = null
  let earliest: number | null = null
  for (const [i, message] of messages.entries()) {
    const at = messageTime(message)
    if (click.mid !== null && message.mid === click.mid) named = earlierOf(named, i, messages)
    if (second(at) <= second(click.at)) latest = laterOf(latest, i, messages)
    earliest = earlierOf(earliest, i, messages)
  }
  return named ?? latest ?? earliest
}

function resolveMessage(
  { sent_at, read_at, price_micros }: Message,
  proof: number | null,
  country: string | null,
  { calendar, rateCard }: Context,
): ResolvedMessage {
  const sent_hour = sent_at === null ? null : calendar.hourOf(sent_at)
  const read_hour = read_at === null ? null : calendar.hourOf(read_at)
  if (proof === null) return { sent_hour, delivered_hour: null, read_hour, resolved_price_micros: null }
  const delivered_hour = calendar.hourOf(proof)
  const price = price_micros?.value ?? rateCard.priceOf(country, dayOfHour(delivered_hour))
  return { sent_hour, delivered_hour, read_hour, resolved_price_micros: price }
}

/** A read or a credited click proves delivery; clicks are sorted by time, so the first is the earliest. */
function earliestProof(
  message: Message,
  clicks: readonly Click[],
  credits: readonly (number | null)[],
  place: number,
): number | null {
  const click = clicks[credits.indexOf(place)]
  if (click === undefined) return message.read_at
  return Math.min(click.at, message.read_at ?? Infinity)
}

function second(time_ms: number): number {
  return Math.floor(time_ms / 1000)
}

function laterOf(held: number | null, place: number, messages: readonly Message[]): number {
  return held !== null && timeAt(messages, held) > timeAt(messages, place) ? held : place
}

function earlierOf(held: number | null, place: number, messages: readonly Message[]): number {
  return held !== null && timeAt(messages, held) <= timeAt(messages, place) ? held : place
}

function timeAt(messages: readonly Message[], place: number): number {
  return messageTime(messages[place] as Message)
}
