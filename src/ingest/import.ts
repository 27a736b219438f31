import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Fact } from '../domain/fact.ts'
import type { Admission } from '../store/admission.ts'
import { append } from '../store/append.ts'
import type { Store } from '../store/store.ts'
import { FactError, type FactRecord, parseFact } from './fact.ts'
import type { Pseudonyms } from './pseudonym.ts'

/** Bytes committed together: large transactions cost less by the fact, but a server beside it waits for each. */
const BATCH_BYTES = 5 * 1_048_576

/** A longer line is no fact. */
export const LINE_BYTES_MAX = 65_536

const NEWLINE = 0x0a

/** Thrown for a file that is not made of lines. */
export class ImportError extends Error {
  override readonly name = 'ImportError'
}

/** What an import reads from and writes to. */
export interface ImportOptions {
  readonly store: Store
  readonly admission: Admission
  readonly pseudonyms: Pseudonyms
  readonly now_ms: () => number
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
 * out.
 */
export async function importFacts(file: string, options: ImportOptions): Promise<Imported> {
  const start = await readStart(file, options.store)
  const imported: Imported = {
    lines: start.lines,
    facts: 0,
    parked: 0,
    forgotten: 0,
    pruned: 0,
    bad_lines: 0,
    resumed_after_line: start.lines,
  }
  let bytes = start.bytes
  /** A database of its own works on one batch while the next is read. */
  let committing: Promise<void> = Promise.resolve()
  for await (const batch of readBatches(file, bytes)) {
    const facts = parseLines(linesOf(batch), imported, options)
    start.digest.update(batch)
    bytes += batch.length
    const reached = { bytes, lines: imported.lines, digest: digestOf(start.digest) }
    await committing
    committing = commit(file, facts, reached, imported, options)
    // Told of by the next batch, or at the end.
    committing.catch(() => undefined)
  }
  await committing
  await options.store.write(({ arrivals }) => arrivals.removeCheckpoint(file), 'shared')
  return imported
}

/** Where an import begins: where the last one was interrupted, if the file still begins with the same bytes. */
async function readStart(file: string, store: Store): Promise<{ bytes: number; lines: number; digest: Hash }> {
  const checkpoint = await store.arrivals.readCheckpoint(file)
  if (checkpoint !== undefined) {
    const digest = createHash('sha256')
    for await (const chunk of createReadStream(file, { end: checkpoint.bytes - 1 })) digest.update(chunk as Buffer)
    if (digestOf(digest) === checkpoint.digest) return { bytes: checkpoint.bytes, lines: checkpoint.lines, digest }
  }
  return { bytes: 0, lines: 0, digest: createHash('sha256') }
}

function digestOf(digest: Hash): string {
  return digest.copy().digest('hex')
}

/** Reads the lines of a file, from a byte on, in batches of whole lines with their line ends. */
async function* readBatches(file: string, from: number): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of createReadStream(file, { start: from, highWaterMark: BATCH_BYTES })) {
    const bytes: Buffer = Buffer.concat([rest, chunk as Buffer])
    const end = bytes.lastIndexOf(NEWLINE) + 1
    if (end > 0) yield bytes.subarray(0, end)
    rest = bytes.subarray(end)
    if (rest.length > BATCH_BYTES) throw new ImportError(`cannot import ${file}: it is not made of lines of JSON`)
  }
  if (rest.length > 0) yield rest
}

function linesOf(batch: Buffer): string[] {
  const lines = batch.toString('utf8').split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

function parseLines(lines: readonly string[], imported: Imported, options: ImportOptions): Fact[] {
  const facts: Fact[] = []
  const now_ms = options.now_ms()
  for (const line of lines) {
    imported.lines++
    // Also takes away the mark that some programs begin a file with.
    const text = line.trim()
    if (text === '') continue
    try {
      facts.push(parseFactLine(text, options.pseudonyms, now_ms))
    } catch (error) {
      if (!(error instanceof FactError)) throw error
      imported.bad_lines++
      options.onBadLine(imported.lines, error.message)
    }
  }
  return facts
}

/** Parses one line of an import. Throws a FactError. */
export function parseFactLine(line: string, pseudonyms: Pseudonyms, now_ms: number): Fact {
  if (line.length > LINE_BYTES_MAX) throw new FactError(`the line is longer than ${LINE_BYTES_MAX} characters`)
  const record = parseJson(line)
  if (typeof record === 'object' && record !== null && !Array.isArray(record)) {
    return parseFact(record as FactRecord, pseudonyms, now_ms)
  }
  throw new FactError('the line is no JSON object')
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw new FactError('the line is no JSON')
  }
}

async function commit(
  file: string,
  facts: readonly Fact[],
  reached: { bytes: number; lines: number; digest: string },
  imported: Imported,
  { store, admission, now_ms, onProgress }: ImportOptions,
): Promise<void> {
  try {
    const appended = await store.write(async (tables) => {
      await admission.open(tables.registry, now_ms())
      await tables.arrivals.writeCheckpoint({ file, ...reached })
      return append(tables, admission, facts)
    }, 'shared')
    imported.facts += facts.length
    imported.parked += appended.parked
    imported.forgotten += appended.forgotten
    imported.pruned += appended.pruned
    onProgress({ bytes: reached.bytes, facts: imported.facts })
  } catch (error) {
    admission.close()
    throw error
  }
}
