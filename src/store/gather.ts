import type { Fact } from '../domain/fact.ts'

/** Facts by their places, each of which may be made anew whenever it is asked for. */
export interface Facts {
  readonly length: number
  at(place: number): Fact | undefined
}

/** What decides where a fact is counted, but for who was forgotten. */
export type AdOnPage = Pick<Fact, 'ad_id' | 'page_id'>

/** The facts that name one ad and one page. */
export interface FactGroup extends AdOnPage {
  /** The places of its facts, by subscriber. */
  readonly places: Map<string, number[]>
}

/** Facts, and who and what they tell of. */
export interface GatheredFacts {
  readonly facts: Facts
  readonly groups: readonly FactGroup[]
}

/** Gathers facts by ad, page and subscriber. Reads nothing, so that it can be done while another batch is committed. */
export function gather(facts: Facts): GatheredFacts {
  const byAd = new Map<string, Map<string, FactGroup>>()
  for (let place = 0; place < facts.length; place++) {
    const { ad_id, page_id, subscriber } = facts.at(place) as Fact
    let ofAd = byAd.get(ad_id)
    if (ofAd === undefined) {
      ofAd = new Map()
      byAd.set(ad_id, ofAd)
    }
    let group = ofAd.get(page_id)
    if (group === undefined) {
      group = { ad_id, page_id, places: new Map() }
      ofAd.set(page_id, group)
    }
    addPlace(group.places, subscriber, place)
  }
  return { facts, groups: [...byAd.values()].flatMap((ofAd) => [...ofAd.values()]) }
}

/** Adds the place of one of a subscriber's facts. */
export function addPlace(places: Map<string, number[]>, subscriber: string, place: number): void {
  const known = places.get(subscriber)
  if (known === undefined) places.set(subscriber, [place])
  else known.push(place)
}
