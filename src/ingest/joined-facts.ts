import type { Fact } from '../domain/fact.ts'
import type { Facts } from '../store/gather.ts'

/** The facts of several lists, one list after another. */
export class JoinedFacts implements Facts {
  readonly length: number
  readonly #lists: readonly Facts[]
  /** The place of each list's first fact. */
  readonly #starts: readonly number[]
  /** The list that was asked last: most who ask go on in it. */
  #list = 0

  constructor(lists: readonly Facts[]) {
    this.#lists = lists.filter(({ length }) => length > 0)
    const starts: number[] = []
    let length = 0
    for (const list of this.#lists) {
      starts.push(length)
      length += list.length
    }
    this.#starts = starts
    this.length = length
  }

  at(place: number): Fact | undefined {
    if (!this.#has(this.#list, place)) this.#list = this.#starts.findLastIndex((start) => start <= place)
    return this.#lists[this.#list]?.at(place - (this.#starts[this.#list] as number))
  }

  #has(list: number, place: number): boolean {
    return place >= (this.#starts[list] ?? Infinity) && place < (this.#starts[list + 1] ?? this.length)
  }
}
