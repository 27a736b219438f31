import type { Admission } from '../store/admission.ts'
import { append } from '../store/append.ts'
import { type GatheredFacts, gather } from '../store/gather.ts'
import type { Rest } from '../store/rest.ts'
import type { Store } from '../store/store.ts'
import { digestOf, endsLine, type ImportBatch, type ImportStart, type ReadBatches } from './import-file.ts'

/** What an import reads from and writes to. */
export interface ImportOptions {
  readonly store: Store
  readonly admission: Admission
  readonly readBatches: ReadBatches
  readonly now_ms: () => number
  /** Called between batches. */
  readonly rest: Rest
  /** Told of every line that is no fact. */
  readonly onBadLine: (line: number, reason: string) => void
  readonly onProgress: (progress: ImportProgress) => void
}

export interface ImportProgress {
  readonly bytes: number
  readonly facts: number
}

/** What an import came to. */
export interface Imported {
  lines: number
  facts: number
  parked: number
  forgotten: number
  pruned: number
  bad_lines: number
  /** The line after which an interrupted import of the same file went on; 0 for one from the start. */
  readonly resumed_after_line: number
}

/**
 * Appends the facts of an NDJSON file, one a line. Each batch commits how far it came, so that an interrupted import
 * of the same file goes on there; a finished one starts again, and changes nothing. Bad lines are reported, and left
 * out. Rejects with an ImportError for a file that is not made of lines.
 */
export async function importFacts(file: string, options: ImportOptions): Promise<Imported> {
  const start = await findStart(file, options.store)
  const imported: Imported = {
    lines: start.lines,
    facts: 0,
    parked: 0,
    forgotten: 0,
    pruned: 0,
    bad_lines: 0,
    resumed_after_line: start.lines,
  }
  /** A database of its own works on one batch while the next is read. */
  let committing: Promise<void> = Promise.resolve()
  for await (const batch of options.readBatches(file, start, options.now_ms)) {
    for (const { line, reason } of batch.bad_lines) options.onBadLine(line, reason)
    imported.bad_lines += batch.bad_lines.length
    imported.lines = batch.reached.lines
    const gathered = gather(batch.facts)
    await committing
    await options.rest()
    committing = commit(file, { gathered, reached: batch.reached }, imported, options)
    // Told of by the next batch, or at the end.
    committing.catch(() => undefined)
  }
  await committing
  await options.store.write(({ arrivals }) => arrivals.removeCheckpoint(file), 'shared')
  return imported
}

/** Where an import begins: where the last one was interrupted, if the file still begins with the same bytes. */
async function findStart(file: string, store: Store): Promise<ImportStart> {
  const checkpoint = await store.arrivals.readCheckpoint(file)
  if (checkpoint === undefined) return { bytes: 0, lines: 0 }
  const { bytes, lines, digest } = checkpoint
  const isSame = (await digestOf(file, bytes)) === digest && (await endsLine(file, bytes))
  return isSame ? { bytes, lines } : { bytes: 0, lines: 0 }
}

async function commit(
  file: string,
  { gathered, reached }: { readonly gathered: GatheredFacts } & Pick<ImportBatch, 'reached'>,
  imported: Imported,
  { store, admission, now_ms, onProgress }: ImportOptions,
): Promise<void> {
  try {
    const appended = await store.write(async (tables) => {
      await admission.open(tables.registry, now_ms())
      await tables.arrivals.writeCheckpoint({ file, ...reached })
      return append(tables, admission, gathered)
    }, 'shared')
    imported.facts += gathered.facts.length
    imported.parked += appended.parked
    imported.forgotten += appended.forgotten
    imported.pruned += appended.pruned
    onProgress({ bytes: reached.bytes, facts: imported.facts })
  } catch (error) {
    admission.close()
    throw error
  }
}
