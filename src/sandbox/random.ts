const TEXT_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const WARM_UP_ROUNDS = 12
const TWO_TO_32 = 2 ** 32

/** A value and how often it is picked, in proportion to the others'. */
export type Weighted<Value> = readonly (readonly [value: Value, weight: number])[]

/**
 * Chance that repeats itself: the same `seed` and `stream` give the same sequence on every machine (the generator is
 * sfc32). Streams of one seed are independent, so that playing one campaign does not change what another one does.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #round = 1

  /** Of the seed the low 32 bits count; a stream may be any safe integer, such as an id or an instant. */
  constructor(seed: number, stream = 0) {
    this.#a = stream | 0
    this.#b = Math.floor(stream / TWO_TO_32) | 0
    this.#c = seed | 0
    for (let i = 0; i < WARM_UP_ROUNDS; i++) this.#draw()
  }

  /** From 0, included, to 1, excluded. */
  unit(): number {
    return this.#draw() / TWO_TO_32
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.unit() < probability
  }

  /** A whole number, both ends included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.unit() * (max - min + 1))
  }

  /** One of the values; there must be one. */
  pick<Value>(weighted: Weighted<Value>): Value {
    let left = this.unit() * weighted.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [value, weight] of weighted) {
      left -= weight
      if (left < 0) return value
    }
    throw new RangeError('pick a value of a list whose weights are positive; this one has none')
  }

  shuffle<Item>(items: readonly Item[]): Item[] {
    const shuffled = [...items]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.integer(0, i)
      const item = shuffled[i] as Item
      shuffled[i] = shuffled[j] as Item
      shuffled[j] = item
    }
    return shuffled
  }

  /** How long people take: most near the median, a few many times longer. `spread` is the deviation of the logarithm. */
  logNormal(median: number, spread: number): number {
    // Box and Muller's normal deviate; `1 - unit()` is never 0, whose logarithm does not exist.
    const normal = Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit())
    return median * Math.exp(spread * normal)
  }

  /**
   * Letters, digits, `-` and `_`, as Meta's tokens and `mid`s are made of; five characters of six bits a draw. Made of
   * codes at once, because a string grown by characters costs a load five times as long.
   */
  text(length: number): string {
    const codes: number[] = []
    while (codes.length < length) {
      const bits = this.#draw()
      for (let shift = 0; shift < 30 && codes.length < length; shift += 6) {
        codes.push(TEXT_ALPHABET.charCodeAt((bits >>> shift) & 63))
      }
    }
    return String.fromCharCode(...codes)
  }

  /** Hexadecimal digits grouped like a UUID's. */
  uuid(): string {
    const [a, b, c, d] = [this.#hex(), this.#hex(), this.#hex(), this.#hex()]
    return `${a}-${b.slice(0, 4)}-${b.slice(4)}-${c.slice(0, 4)}-${c.slice(4)}${d}`
  }

  #hex(): string {
    return this.#draw().toString(16).padStart(8, '0')
  }

  #draw(): number {
    const drawn = (this.#a + this.#b + this.#round) | 0
    this.#round = (this.#round + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + drawn) | 0
    return drawn >>> 0
  }
}
