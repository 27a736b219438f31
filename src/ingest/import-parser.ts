import { on } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type ImportBatch, ImportError, type ImportStart, type PiecedBatch, type ReadBatches } from './import-file.ts'
import { JoinedFacts } from './joined-facts.ts'
import { type PackedFacts, UnpackedFacts } from './packed-facts.ts'

/** Batches that are parsed ahead of the one that is being committed. */
const BATCHES_AHEAD_MAX = 1

/** What the thread may hold, in megabytes: it needs a batch of facts, and little else. */
const LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 }

/** What the thread is opened with. */
export interface ImportParserOptions {
  readonly hash_key: Uint8Array
  readonly batch_bytes: number
}

/** Names the file, or asks for its next batch and says what time it is. */
export type ToImportParser =
  | { readonly kind: 'file'; readonly file: string; readonly start: ImportStart }
  | { readonly kind: 'next'; readonly now_ms: number }

export type FromImportParser =
  | { readonly kind: 'batch'; readonly batch: PiecedBatch<PackedFacts> }
  | { readonly kind: 'end' }
  /** Why the file cannot be imported. */
  | { readonly kind: 'refused'; readonly reason: string }

/** A thread that reads and parses a file ahead of whoever commits. It starts while its opener makes ready for the first batch. */
export class ImportParser implements AsyncDisposable {
  readonly #worker: Worker
  readonly #answers: AsyncIterator<[FromImportParser]>

  constructor(options: ImportParserOptions) {
    const thread = new URL('import-parser-thread.ts', import.meta.url)
    this.#worker = new Worker(thread, { workerData: options, resourceLimits: LIMITS })
    this.#answers = on(this.#worker, 'message') as AsyncIterator<[FromImportParser]>
  }

  /** Reads one file. */
  readonly readBatches: ReadBatches = (file, start, now_ms) => this.#read(file, start, now_ms)

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }

  async *#read(file: string, start: ImportStart, now_ms: () => number): AsyncGenerator<ImportBatch, void, undefined> {
    const ask = () => this.#post({ kind: 'next', now_ms: now_ms() })
    this.#post({ kind: 'file', file, start })
    for (let i = 0; i < BATCHES_AHEAD_MAX; i++) ask()
    for (;;) {
      const { value } = await this.#answers.next()
      const [answer] = value as [FromImportParser]
      if (answer.kind === 'end') return
      if (answer.kind === 'refused') throw new ImportError(answer.reason)
      ask()
      const { pieces, ...batch } = answer.batch
      yield { ...batch, facts: new JoinedFacts(pieces.map((piece) => new UnpackedFacts(piece))) }
    }
  }

  #post(message: ToImportParser): void {
    this.#worker.postMessage(message)
  }
}
