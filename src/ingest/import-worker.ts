import { Worker } from 'node:worker_threads'
import { type ImportBatch, ImportError, type ImportStart, type ReadBatches } from './import-file.ts'
import { type PackedFacts, UnpackedFacts } from './packed-facts.ts'

/** Batches that are parsed ahead of the one that is being committed. */
const BATCHES_AHEAD_MAX = 1

/** What the thread may hold: a batch of facts, and little else. Left alone, its heap grows to twice that. */
const LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 96 }

/** What the thread is opened with. */
export interface ImportThreadOptions {
  readonly file: string
  readonly start: ImportStart
  readonly hash_key: Uint8Array
}

/** Asks for the next batch, and says what time it is. */
export interface ToImport {
  readonly now_ms: number
}

export type FromImport =
  | { readonly kind: 'batch'; readonly batch: Omit<ImportBatch, 'facts'> & { readonly facts: PackedFacts } }
  | { readonly kind: 'end' }
  /** Why the file cannot be imported. */
  | { readonly kind: 'refused'; readonly reason: string }

/** Reads and parses in a thread of its own, ahead of whoever commits. */
export function readBatchesApart(hash_key: Uint8Array): ReadBatches {
  return async function* (file, start, now_ms) {
    const workerData: ImportThreadOptions = { file, start, hash_key }
    const worker = new Worker(new URL('import-thread.ts', import.meta.url), {
      workerData,
      resourceLimits: LIMITS,
    })
    const ask = () => worker.postMessage({ now_ms: now_ms() } satisfies ToImport)
    const answers = answersOf(worker)
    try {
      for (let i = 0; i < BATCHES_AHEAD_MAX; i++) ask()
      for (;;) {
        const answer = await answers.next()
        if (answer.kind === 'end') return
        if (answer.kind === 'refused') throw new ImportError(answer.reason)
        ask()
        yield { ...answer.batch, facts: new UnpackedFacts(answer.batch.facts) }
      }
    } finally {
      await worker.terminate()
    }
  }
}

/** What a thread says, each in its turn; rejects when the thread has died. */
function answersOf(worker: Worker): { next: () => Promise<FromImport> } {
  const come: FromImport[] = []
  let wake: PromiseWithResolvers<void> | undefined
  let death: unknown
  worker.on('message', (answer: FromImport) => {
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
