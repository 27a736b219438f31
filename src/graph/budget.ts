import { tooMuchData } from './error.ts'

/**
 * What the parts of an answer take, in microseconds, as measured on one slow core. An answer is priced before each part is
 * made, since nothing can interrupt a statement of SQLite's.
 */
export const PRICES_US = {
  /** A node read, or its insights begun. */
  node: 40,
  /** An ad looked up, to be grouped into objects. */
  ad: 2,
  /** A cell found. */
  cell: 0.3,
  /** One of its amounts summed. */
  amount: 0.04,
  /** A row made of sums. */
  row: 10,
  /** A value of a row, or of a stored row, written down. */
  value: 1,
  /** Two values held against each other. */
  comparison: 0.01,
  /** A node or a row held against a condition. */
  condition: 1,
  /** A text looked through for another. */
  search: 0.2,
  /** The names in a list looked through once, where there are some thousands. */
  listed_search: 2000,
} as const

/** What the thread that answers everyone gives to one answer; what is dearer is left to the deputy. */
export const QUICK_US_MAX = 25_000

/** What the deputy gives to one answer; what is dearer is answered with Meta's "reduce the amount of data". */
export const ANSWER_US_MAX = 5_000_000

/** Thrown where an answer would hold up everyone else: the deputy begins it anew. */
export class TooLongHere extends Error {
  override readonly name = 'TooLongHere'
}

/** Bounds what one call can cost: expanded edges multiply. */
export class Budget {
  #left_us: number
  readonly #overspent: () => Error

  constructor(us: number, overspent: () => Error) {
    this.#left_us = us
    this.#overspent = overspent
  }

  static quick(): Budget {
    return new Budget(QUICK_US_MAX, () => new TooLongHere('an answer is left to the deputy'))
  }

  static whole(): Budget {
    return new Budget(ANSWER_US_MAX, tooMuchData)
  }

  spend(us: number): void {
    this.#left_us -= us
    if (this.#left_us < 0) throw this.#overspent()
  }
}
