import { FACT_KINDS, type Fact, type FactKind } from '../domain/fact.ts'

/**
 * Facts as one thread hands them to another: column by column. A copy of so many objects would cost more than parsing them
 * did; numbers go as buffers that move, and each column of texts as a single text.
 */
export interface PackedFacts {
  /** Places in FACT_KINDS. */
  readonly kinds: Uint8Array<ArrayBuffer>
  readonly at: Float64Array<ArrayBuffer>
  /** NO_PRICE where there is none. */
  readonly prices_micros: BigInt64Array<ArrayBuffer>
  readonly ad_ids: FewTexts
  readonly page_ids: FewTexts
  readonly countries: FewTexts
  readonly btn_names: FewTexts
  readonly error_messages: FewTexts
  readonly subscribers: string
  readonly tracking_ids: string
  readonly mids: string
}

/** A column of texts that repeat themselves: each text once, and where it stands. */
interface FewTexts {
  readonly texts: readonly (string | null)[]
  readonly places: Uint32Array<ArrayBuffer>
}

/** A price is zero or more. */
const NO_PRICE = -1n

/** Stands between the texts of a column. Hashes have none, and tracking ids are printable: no text of theirs is empty, either. */
const BETWEEN = '\n'

const KIND_PLACES = new Map(FACT_KINDS.map((kind, place) => [kind, place]))

/** Packs facts, in their order. */
export function packFacts(facts: readonly Fact[]): PackedFacts {
  const kinds = new Uint8Array(facts.length)
  const at = new Float64Array(facts.length)
  const prices_micros = new BigInt64Array(facts.length)
  for (const [i, fact] of facts.entries()) {
    kinds[i] = KIND_PLACES.get(fact.kind) as number
    at[i] = fact.at
    prices_micros[i] = fact.price_micros ?? NO_PRICE
  }
  return {
    kinds,
    at,
    prices_micros,
    ad_ids: packFew(facts, (fact) => fact.ad_id),
    page_ids: packFew(facts, (fact) => fact.page_id),
    countries: packFew(facts, (fact) => fact.country),
    btn_names: packFew(facts, (fact) => fact.btn_name),
    error_messages: packFew(facts, (fact) => fact.error_message),
    subscribers: facts.map((fact) => fact.subscriber).join(BETWEEN),
    tracking_ids: facts.map((fact) => fact.tracking_id ?? '').join(BETWEEN),
    mids: facts.map((fact) => fact.mid ?? '').join(BETWEEN),
  }
}

/** The facts that were packed. */
export function unpackFacts(packed: PackedFacts): Fact[] {
  const { kinds, at, prices_micros, ad_ids, page_ids, countries, btn_names, error_messages } = packed
  const subscribers = packed.subscribers.split(BETWEEN)
  const tracking_ids = packed.tracking_ids.split(BETWEEN)
  const mids = packed.mids.split(BETWEEN)
  const facts: Fact[] = []
  for (let i = 0; i < kinds.length; i++) {
    const price_micros = prices_micros[i] as bigint
    facts.push({
      kind: FACT_KINDS[kinds[i] as number] as FactKind,
      at: at[i] as number,
      ad_id: textAt(ad_ids, i) as string,
      page_id: textAt(page_ids, i) as string,
      subscriber: subscribers[i] as string,
      tracking_id: tracking_ids[i] || null,
      mid: mids[i] || null,
      price_micros: price_micros === NO_PRICE ? null : price_micros,
      country: textAt(countries, i),
      btn_name: textAt(btn_names, i),
      error_message: textAt(error_messages, i),
    })
  }
  return facts
}

/** The buffers that move to the other thread. */
export function buffersOf(packed: PackedFacts): ArrayBuffer[] {
  const { kinds, at, prices_micros, ad_ids, page_ids, countries, btn_names, error_messages } = packed
  const few = [ad_ids, page_ids, countries, btn_names, error_messages].map(({ places }) => places)
  return [kinds, at, prices_micros, ...few].map(({ buffer }) => buffer)
}

function packFew(facts: readonly Fact[], textOf: (fact: Fact) => string | null): FewTexts {
  const known = new Map<string | null, number>()
  const places = new Uint32Array(facts.length)
  for (const [i, fact] of facts.entries()) {
    const text = textOf(fact)
    let place = known.get(text)
    if (place === undefined) {
      place = known.size
      known.set(text, place)
    }
    places[i] = place
  }
  return { texts: [...known.keys()], places }
}

function textAt({ texts, places }: FewTexts, i: number): string | null {
  return texts[places[i] as number] as string | null
}
