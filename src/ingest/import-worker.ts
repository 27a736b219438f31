import { Worker } from 'node:worker_threads'
import { DatabaseError, StoreUnavailableError } from '../store/store.ts'
import type { Imported, ImportOptions, ImportProgress } from './import.ts'
import { type BadLine, ImportError } from './import-file.ts'

/**
 * What the thread may hold, in megabytes. It needs some fifty; but a heap without a limit grows to several times that before the
 * collector looks through all of it.
 */
const LIMITS = { maxYoungGenerationSizeMb: 32, maxOldGenerationSizeMb: 512 }

/** What the thread is opened with. */
export interface ImportThreadOptions {
  readonly file: string
  readonly database: string
  readonly hash_key: Uint8Array
  /** What time it is when the thread is opened, in milliseconds since 1970: it has no clock of its own. */
  readonly started_at: number
}

/** What is told of an import on its way. */
export type ImportEvents = Pick<ImportOptions, 'onBadLine' | 'onProgress'>

/** Errors that end an import, and that its caller knows. */
const REFUSALS = { ImportError, DatabaseError, StoreUnavailableError }
type Refusal = keyof typeof REFUSALS

export type FromImport =
  | { readonly kind: 'bad_line'; readonly bad: BadLine }
  | { readonly kind: 'progress'; readonly progress: ImportProgress }
  | { readonly kind: 'imported'; readonly imported: Imported }
  | { readonly kind: 'refused'; readonly by: Refusal; readonly reason: string }

/** `importFacts` in a thread of its own, whose memory is bounded; rejects with the same errors. */
export function importApart(options: ImportThreadOptions, events: ImportEvents): Promise<Imported> {
  const thread = new URL('import-thread.ts', import.meta.url)
  const worker = new Worker(thread, { workerData: options, resourceLimits: LIMITS })
  return new Promise((resolve, reject) => {
    worker.on('error', reject)
    worker.on('message', (message: FromImport) => {
      if (message.kind === 'bad_line') events.onBadLine(message.bad.line, message.bad.reason)
      else if (message.kind === 'progress') events.onProgress(message.progress)
      else if (message.kind === 'imported') resolve(message.imported)
      else reject(new REFUSALS[message.by](message.reason))
    })
  })
}

/** What an error is told as to whoever opened the thread; `undefined` for one that nobody expects. */
export function refusalOf(error: unknown): FromImport | undefined {
  for (const [by, kind] of Object.entries(REFUSALS)) {
    if (error instanceof kind) return { kind: 'refused', by: by as Refusal, reason: error.message }
  }
  return undefined
}
