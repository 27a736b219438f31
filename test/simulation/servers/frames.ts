/** A message of PostgreSQL's protocol. */
export interface Frame {
  /** Its first byte, as a letter; nothing for the first message of all, which has none. */
  readonly type: string
  /** All of it, as it goes over the wire. */
  readonly bytes: Buffer
}

const LENGTH_BYTES = 4

/** Cuts what comes over the wire into messages. */
export class Frames {
  #rest: Buffer = Buffer.alloc(0)
  /** Whether the next message has a type. */
  #isTyped: boolean

  /** Of those who connect, the first message has no type. */
  constructor(from: 'client' | 'server') {
    this.#isTyped = from === 'server'
  }

  /** The messages that are whole now. */
  take(chunk: Buffer): Frame[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const frames: Frame[] = []
    for (let frame = this.#cut(); frame !== undefined; frame = this.#cut()) frames.push(frame)
    return frames
  }

  #cut(): Frame | undefined {
    const start = this.#isTyped ? 1 : 0
    if (this.#rest.length < start + LENGTH_BYTES) return undefined
    const end = start + this.#rest.readInt32BE(start)
    if (this.#rest.length < end) return undefined
    const bytes = this.#rest.subarray(0, end)
    const type = this.#isTyped ? String.fromCharCode(bytes[0] ?? 0) : ''
    this.#isTyped = true
    this.#rest = this.#rest.subarray(end)
    return { type, bytes }
  }
}

/** The texts of a message, each of which ends with a zero byte: the first of them, up to so many. */
export function textsOf({ bytes }: Frame, count: number): string[] {
  const texts: string[] = []
  let start = 1 + LENGTH_BYTES
  while (texts.length < count) {
    const end = bytes.indexOf(0, start)
    texts.push(bytes.toString('utf8', start, end))
    start = end + 1
  }
  return texts
}
