/**
 * Counts bytes that are held until someone has sent, or taken, all of theirs. Past the limit, whoever has held some the
 * longest is let go: the slow, and those who mean it.
 */
export class InFlight<Holder> {
  readonly #bytes_max: number
  readonly #letGo: (holder: Holder) => void
  /** By holder, in the order in which they came. */
  readonly #held = new Map<Holder, number>()
  #bytes = 0

  constructor(bytes_max: number, letGo: (holder: Holder) => void) {
    this.#bytes_max = bytes_max
    this.#letGo = letGo
  }

  /** Adds to what someone holds. One who is alone is never let go. */
  hold(holder: Holder, bytes: number): void {
    this.#held.set(holder, (this.#held.get(holder) ?? 0) + bytes)
    this.#bytes += bytes
    for (const longest of this.#held.keys()) {
      if (this.#bytes <= this.#bytes_max || this.#held.size === 1) return
      this.release(longest)
      this.#letGo(longest)
    }
  }

  release(holder: Holder): void {
    this.#bytes -= this.#held.get(holder) ?? 0
    this.#held.delete(holder)
  }
}
