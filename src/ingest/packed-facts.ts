import { FACT_KINDS, type Fact, type FactKind } from '../domain/fact.ts'
import type { Facts } from '../store/gather.ts'

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
  readonly subscribers: Texts
  readonly tracking_ids: Texts
  readonly mids: Texts
}

/** A column of texts that repeat themselves: each text once, and where it stands. */
interface FewTexts {
  readonly texts: readonly (string | null)[]
  readonly places: Uint32Array<ArrayBuffer>
}

/** A column of texts that differ, one after another, and where each ends. None of them is empty: that is no text. */
interface Texts {
  readonly all: string
  readonly ends: Uint32Array<ArrayBuffer>
}

/** A price is zero or more. */
const NO_PRICE = -1n

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
    subscribers: packTexts(facts.map((fact) => fact.subscriber)),
    tracking_ids: packTexts(facts.map((fact) => fact.tracking_id ?? '')),
    mids: packTexts(facts.map((fact) => fact.mid ?? '')),
  }
}

/** The facts that were packed, each made when it is asked for: a batch of them at once would outlive many collections. */
export class UnpackedFacts implements Facts {
  readonly length: number
  readonly #packed: PackedFacts

  constructor(packed: PackedFacts) {
    this.length = packed.kinds.length
    this.#packed = packed
  }

  at(place: number): Fact {
    return new UnpackedFact(this.#packed, place)
  }
}

/** A fact whose fields are read when they are asked for: nobody asks for all of them. */
class UnpackedFact implements Fact {
  readonly #packed: PackedFacts
  readonly #place: number

  constructor(packed: PackedFacts, place: number) {
    this.#packed = packed
    this.#place = place
  }

  get kind(): FactKind {
    return FACT_KINDS[this.#packed.kinds[this.#place] as number] as FactKind
  }

  get at(): number {
    return this.#packed.at[this.#place] as number
  }

  get ad_id(): string {
    return repeatedAt(this.#packed.ad_ids, this.#place) as string
  }

  get page_id(): string {
    return repeatedAt(this.#packed.page_ids, this.#place) as string
  }

  get subscriber(): string {
    return textAt(this.#packed.subscribers, this.#place) as string
  }

  get tracking_id(): string | null {
    return textAt(this.#packed.tracking_ids, this.#place)
  }

  get mid(): string | null {
    return textAt(this.#packed.mids, this.#place)
  }

  get price_micros(): bigint | null {
    const price_micros = this.#packed.prices_micros[this.#place] as bigint
    return price_micros === NO_PRICE ? null : price_micros
  }

  get country(): string | null {
    return repeatedAt(this.#packed.countries, this.#place)
  }

  get btn_name(): string | null {
    return repeatedAt(this.#packed.btn_names, this.#place)
  }

  get error_message(): string | null {
    return repeatedAt(this.#packed.error_messages, this.#place)
  }
}

/** The buffers that move to the other thread. */
export function buffersOf(packed: PackedFacts): ArrayBuffer[] {
  const { kinds, at, prices_micros, ad_ids, page_ids, countries, btn_names, error_messages } = packed
  const few = [ad_ids, page_ids, countries, btn_names, error_messages].map(({ places }) => places)
  const many = [packed.subscribers, packed.tracking_ids, packed.mids].map(({ ends }) => ends)
  return [kinds, at, prices_micros, ...few, ...many].map(({ buffer }) => buffer)
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

function repeatedAt({ texts, places }: FewTexts, place: number): string | null {
  return texts[places[place] as number] as string | null
}

function packTexts(texts: readonly string[]): Texts {
  const ends = new Uint32Array(texts.length)
  let end = 0
  for (const [i, text] of texts.entries()) {
    end += text.length
    ends[i] = end
  }
  return { all: texts.join(''), ends }
}

function textAt({ all, ends }: Texts, place: number): string | null {
  const start = place === 0 ? 0 : (ends[place - 1] as number)
  const end = ends[place] as number
  return start === end ? null : all.slice(start, end)
}
