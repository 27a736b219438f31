import { closeSync, openSync, readSync, writeSync } from 'node:fs'

const BYTES = 8

/**
 * A clock that all processes of a world see: a number in a file. Whoever sets it need not wait until the others have heard of it,
 * one of whom may stand still.
 */
export class WallClock implements Disposable {
  readonly file: string
  readonly #open: number

  private constructor(file: string, flags: 'r' | 'w+') {
    this.file = file
    this.#open = openSync(file, flags)
  }

  /** Hangs up a clock that shows 1970 until it is set. */
  static hang(file: string): WallClock {
    const clock = new WallClock(file, 'w+')
    clock.set(0)
    return clock
  }

  /** Looks at a clock that hangs there. */
  static at(file: string): WallClock {
    return new WallClock(file, 'r')
  }

  get now_ms(): number {
    const bytes = Buffer.alloc(BYTES)
    readSync(this.#open, bytes, 0, BYTES, 0)
    return bytes.readDoubleLE()
  }

  set(now_ms: number): void {
    const bytes = Buffer.alloc(BYTES)
    bytes.writeDoubleLE(now_ms)
    writeSync(this.#open, bytes, 0, BYTES, 0)
  }

  [Symbol.dispose](): void {
    closeSync(this.#open)
  }
}
