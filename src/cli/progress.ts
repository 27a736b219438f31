import { Presets, SingleBar } from 'cli-progress'

/** A bar on stderr while it is a terminal; nothing otherwise, so that logs stay readable. */
export class Progress implements Disposable {
  readonly #bar: SingleBar | undefined

  constructor(what: string) {
    if (!process.stderr.isTTY) return
    const format = `${what} {bar} {percentage}% | {eta_formatted} left | {note}`
    this.#bar = new SingleBar({ format, stream: process.stderr, hideCursor: true }, Presets.shades_classic)
    this.#bar.start(1, 0, { note: '' })
    // However the command ends, the terminal gets its cursor back.
    process.once('exit', () => this[Symbol.dispose]())
  }

  update(done: number, total: number, note = ''): void {
    this.#bar?.setTotal(Math.max(total, 1))
    this.#bar?.update(done, { note })
  }

  [Symbol.dispose](): void {
    if (this.#bar?.isActive) this.#bar.stop()
  }
}
