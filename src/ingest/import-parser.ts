import { Worker } from 'node:worker_threads'
import { ImportError, type ImportStart, type PiecedBatch, type ReadBatches } from './import-file.ts'
import { JoinedFacts } from './joined-facts.ts'
import { type PackedFacts, UnpackedFacts } from './packed-facts.ts'

/** Batches that are parsed ahead of the one that is being committed. */
const BATCHES_AHEAD_MAX = 1

/** What the thread may hold: a batch of facts, and little else. Left alone, its heap grows to twice that. */
const LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 96 }

/** What the thread is opened with. */
export interface ImportParserOptions {
  readonly file: string
  readonly start: ImportStart
  readonly hash_key: Uint8Array
}

/** Asks for the next batch, and says what time it is. */
export interface ToImportParser {
  readonly now_ms: number
}

export type FromImportParser =
  | { readonly kind: 'batch'; readonly batch: PiecedBatch<PackedFacts> }
  | { readonly kind: 'end' }
  /** Why the file cannot be imported. */
  | { readonly kind: 'refused'; readonly reason: string }

/** Reads and parses in a thread of its own, ahead of whoever commits. */
export function readBatchesApart(hash_key: Uint8Array): ReadBatches {
  return async function* (file, start, now_ms) {
    const workerData: ImportParserOptions = { file, start, hash_key }
    const worker = new Worker(new URL('import-parser-thread.ts', import.meta.url), {
      workerData,
      resourceLimits: LIMITS,
    })
    const ask = () => worker.postMessage({ now_ms: now_ms() } satisfies ToImportParser)
    const answers = answersOf(worker)
    try {
      for (let i = 0; i < BATCHES_AHEAD_MAX; i++) ask()
      for (;;) {
        const answer = await answers.next()
        if (answer.kind === 'end') return
        if (answer.kind === 'refused') throw new ImportError(answer.reason)
        ask()
        const { pieces, ...batch } = answer.batch
        yield { ...batch, facts: new JoinedFacts(pieces.map((piece) => new UnpackedFacts(piece))) }
      }
    } finally {
      await worker.terminate()
    }
  }
}

/** What a thread says, each in its turn; rejects when the thread has died. */
function answersOf(worker: Worker): { next: () => Promise<FromImportParser> } {
  const come: FromImportParser[] = []
  let wake: PromiseWithResolvers<void> | undefined
  let death: unknown
  worker.on('message', (answer: FromImportParser) => {
    come.push(answer)
    wake?.resolve()
  })
  worker.on('error', (cause) => {
    death = cause
    wake?.resolve()
  })
  return {
    async next() {
      for (;;) {
        const answer = come.shift()
        if (answer !== undefined) return answer
        if (death !== undefined) throw death
        wake = Promise.withResolvers()
        await wake.promise
      }
    },
  }
}
