import type { FactKind } from '../domain/fact.ts'
import type { PageEvent } from '../store/arrivals.ts'
import type { Facts } from '../store/gather.ts'
import type { RejectedChange } from '../store/set-aside.ts'
import type { Pseudonyms } from './pseudonym.ts'
import { parseWebhook, type Webhook, WebhookError } from './webhook.ts'

/** Webhook bodies that are committed together. */
export interface Group {
  /** One after another, in pieces each of which begins and ends with a body. */
  readonly pieces: readonly Uint8Array<ArrayBuffer>[]
  readonly lengths: readonly number[]
  readonly received_at: number
}

/** Why a body could not be read; `null` for one that could. */
export type Unreadable = string | null

/** What the bodies of a group say. */
export interface ParsedGroup {
  readonly facts: Facts
  readonly rejected: readonly RejectedChange[]
  readonly ignored: number
  /** In the order of the bodies. */
  readonly unreadable: readonly Unreadable[]
  /** The facts by kind, and what each page told of. */
  readonly kinds: Partial<Record<FactKind, number>>
  readonly events: readonly PageEvent[]
  readonly received_at: number
}

/** Parses all bodies of a group; one that cannot be read leaves the others alone. */
export function parseGroup(group: Group, pseudonyms: Pseudonyms): ParsedGroup & Pick<Webhook, 'facts'> {
  const { received_at } = group
  const said: Webhook = { facts: [], rejected: [], ignored: 0 }
  const unreadable = textsOf(group).map((text) => readBody(text, said, pseudonyms, received_at))
  return { ...said, unreadable, kinds: countKinds(said), events: distinctEvents(said), received_at }
}

function readBody(text: string, said: Webhook, pseudonyms: Pseudonyms, received_at: number): Unreadable {
  try {
    const { facts, rejected, ignored } = parseWebhook(text, pseudonyms, received_at)
    for (const fact of facts) said.facts.push(fact)
    for (const change of rejected) said.rejected.push(change)
    said.ignored += ignored
    return null
  } catch (error) {
    // Whatever it is: a body that ended the thread would come again, and end the next.
    return error instanceof WebhookError ? error.message : `cannot read the webhook: ${error}`
  }
}

function textsOf(group: Group): string[] {
  return bodiesOf(group).map((body) => Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'))
}

/** The bodies of a group, in their order. */
export function bodiesOf({ pieces, lengths }: Pick<Group, 'pieces' | 'lengths'>): Uint8Array<ArrayBuffer>[] {
  let place = 0
  let end = 0
  return lengths.map((length) => {
    // A piece of empty bodies has nothing for the next.
    while (place < pieces.length && end + length > (pieces[place]?.length ?? 0)) {
      place++
      end = 0
    }
    end += length
    return (pieces[place] ?? new Uint8Array()).subarray(end - length, end)
  })
}

/** Bytes from which on a body with a buffer of its own moves to another thread: what is smaller is copied with its neighbours. */
const MOVED_BYTES_MIN = 16_384

/** Puts bodies together for another thread, to which their buffers move. */
export function piecesOf(bodies: readonly Uint8Array[]): Uint8Array<ArrayBuffer>[] {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  let small: Uint8Array[] = []
  const copySmall = () => {
    if (small.length > 0) pieces.push(joined(small))
    small = []
  }
  for (const body of bodies) {
    if (ownsBuffer(body)) {
      copySmall()
      pieces.push(body)
    } else small.push(body)
  }
  copySmall()
  return pieces
}

function ownsBuffer(body: Uint8Array): body is Uint8Array<ArrayBuffer> {
  const { buffer, length } = body
  return length >= MOVED_BYTES_MIN && buffer instanceof ArrayBuffer && buffer.byteLength === length
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let start = 0
  for (const part of parts) {
    whole.set(part, start)
    start += part.length
  }
  return whole
}

/** Pages and kinds are few, and their facts many. */
function distinctEvents({ facts }: Webhook): PageEvent[] {
  const events = new Map<string, Map<FactKind, PageEvent>>()
  for (const { page_id, kind } of facts) {
    let ofPage = events.get(page_id)
    if (ofPage === undefined) {
      ofPage = new Map()
      events.set(page_id, ofPage)
    }
    if (!ofPage.has(kind)) ofPage.set(kind, { page_id, kind })
  }
  return [...events.values()].flatMap((ofPage) => [...ofPage.values()])
}

function countKinds({ facts }: Webhook): Partial<Record<FactKind, number>> {
  const counts: Partial<Record<FactKind, number>> = {}
  for (const { kind } of facts) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}
