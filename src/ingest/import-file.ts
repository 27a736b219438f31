import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Fact } from '../domain/fact.ts'
import type { Facts } from '../store/gather.ts'
import { FactError, type FactRecord, parseFact } from './fact.ts'
import { JoinedFacts } from './joined-facts.ts'
import { parseJson } from './json.ts'
import type { Pseudonyms } from './pseudonym.ts'

/**
 * Bytes committed together. Most facts of a message meet in a large batch, and make one row of it then, and pages are written
 * once for many of them; but a server beside it waits for each.
 */
export const BATCH_BYTES = 40 * 1_048_576

/** The same where servers write beside it: each batch keeps them from its ads until it is committed. */
export const SHARED_BATCH_BYTES = 8 * 1_048_576

/** Lines after which a batch ends in any case, however short they are. */
const BATCH_LINES = 150_000

/** Bytes that are read, and whose lines are parsed, at once: what is made of them is soon dropped. */
const PIECE_BYTES = 524_288

/** A longer line is no fact. */
export const LINE_BYTES_MAX = 65_536

/** A file with so many bytes and no end of a line among them is not made of lines. */
const UNBROKEN_BYTES_MAX = 5 * 1_048_576

const NEWLINE = 0x0a

/** Thrown for a file that is not made of lines. */
export class ImportError extends Error {
  override readonly name = 'ImportError'
}

/** Where in a file an import begins: after so many bytes, and the lines in them. */
export interface ImportStart {
  readonly bytes: number
  readonly lines: number
}

/** A line that is no fact. */
export interface BadLine {
  readonly line: number
  readonly reason: string
}

/** Lines that are committed together. */
export interface ImportBatch {
  readonly facts: Facts
  readonly bad_lines: readonly BadLine[]
  /** How far the file is read after it, and the digest of all that. */
  readonly reached: ImportStart & { readonly digest: string }
}

/** The same, the facts of each of its pieces as whoever parsed them keeps them. */
export interface PiecedBatch<Kept> extends Omit<ImportBatch, 'facts'> {
  readonly pieces: readonly Kept[]
}

/** Reads and parses a file from there on, batch after batch; asks for the time at each. Throws an ImportError. */
export type ReadBatches = (file: string, start: ImportStart, now_ms: () => number) => AsyncIterable<ImportBatch>

/** Reads and parses in the thread that asks. */
export function readBatchesHere(pseudonyms: Pseudonyms): ReadBatches {
  return async function* (file, start, now_ms) {
    for await (const { pieces, ...batch } of parseBatches(file, start, {
      pseudonyms,
      now_ms,
      batch_bytes: BATCH_BYTES,
      keep: (facts) => facts,
    })) {
      yield { ...batch, facts: new JoinedFacts(pieces) }
    }
  }
}

/** How the lines of a file are parsed. */
export interface ParseOptions<Kept> {
  readonly pseudonyms: Pseudonyms
  readonly now_ms: () => number
  /** Bytes of a batch, once it is at full size. */
  readonly batch_bytes: number
  /** What the facts of a piece are until their batch is complete. */
  readonly keep: (facts: readonly Fact[]) => Kept
}

/** Reads and parses a file from there on, piece after piece. Throws an ImportError. */
export async function* parseBatches<Kept>(
  file: string,
  start: ImportStart,
  { pseudonyms, now_ms, batch_bytes, keep }: ParseOptions<Kept>,
): AsyncGenerator<PiecedBatch<Kept>, void, undefined> {
  const digest = await hashTo(file, start.bytes)
  let reached = start
  let { bytes, lines } = start
  let batch = emptyBatch<Kept>()
  // The first batches are small, so that the first of them is committed while the next is parsed.
  let wanted = PIECE_BYTES
  for await (const piece of readPieces(file, bytes)) {
    digest.update(piece)
    bytes += piece.length
    const facts: Fact[] = []
    lines = parseLines(linesOf(piece), lines, { facts, bad_lines: batch.bad_lines }, pseudonyms, now_ms())
    batch.pieces.push(keep(facts))
    if (bytes - reached.bytes < wanted && lines - reached.lines < BATCH_LINES) continue
    wanted = Math.min(2 * wanted, batch_bytes)
    reached = { bytes, lines }
    yield { ...batch, reached: { ...reached, digest: digest.copy().digest('hex') } }
    batch = emptyBatch()
  }
  if (bytes > reached.bytes) yield { ...batch, reached: { bytes, lines, digest: digest.digest('hex') } }
}

function emptyBatch<Kept>(): { readonly pieces: Kept[]; readonly bad_lines: BadLine[] } {
  return { pieces: [], bad_lines: [] }
}

/** The digest of the first bytes of a file, as a batch that reached so far has it. */
export async function digestOf(file: string, bytes: number): Promise<string> {
  return (await hashTo(file, bytes)).digest('hex')
}

/** Whether so many bytes end a line: the last line of a file may have been read while it was written. */
export async function endsLine(file: string, bytes: number): Promise<boolean> {
  await using handle = await open(file)
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, bytes - 1)
  return bytesRead === 1 && buffer[0] === NEWLINE
}

async function hashTo(file: string, bytes: number): Promise<Hash> {
  const digest = createHash('sha256')
  if (bytes > 0) for await (const chunk of readBytes(file, 0, bytes)) digest.update(chunk)
  return digest
}

function readBytes(file: string, start: number, end: number): AsyncIterable<Buffer> {
  return createReadStream(file, { start, end: end - 1, highWaterMark: PIECE_BYTES })
}

/** Reads a file, from a byte on, in pieces of whole lines with their line ends. */
async function* readPieces(file: string, from: number): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of readBytes(file, from, Infinity)) {
    const bytes: Buffer = Buffer.concat([rest, chunk])
    const end = bytes.lastIndexOf(NEWLINE) + 1
    if (end > 0) yield bytes.subarray(0, end)
    rest = bytes.subarray(end)
    if (rest.length > UNBROKEN_BYTES_MAX)
      throw new ImportError(`cannot import ${file}: it is not made of lines of JSON`)
  }
  if (rest.length > 0) yield rest
}

function linesOf(piece: Buffer): string[] {
  const lines = piece.toString('utf8').split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** Parses lines, the first of which comes after so many; returns how many they are with those. */
function parseLines(
  texts: readonly string[],
  after: number,
  { facts, bad_lines }: { readonly facts: Fact[]; readonly bad_lines: BadLine[] },
  pseudonyms: Pseudonyms,
  now_ms: number,
): number {
  let line = after
  for (const untrimmed of texts) {
    line++
    // Also takes away the mark that some programs begin a file with.
    const text = untrimmed.trim()
    if (text === '') continue
    try {
      facts.push(parseFactLine(text, pseudonyms, now_ms))
    } catch (error) {
      if (!(error instanceof FactError)) throw error
      bad_lines.push({ line, reason: error.message })
    }
  }
  return line
}

/** Parses one line of an import. Throws a FactError. */
export function parseFactLine(line: string, pseudonyms: Pseudonyms, now_ms: number): Fact {
  if (line.length > LINE_BYTES_MAX) throw new FactError(`the line is longer than ${LINE_BYTES_MAX} characters`)
  const record = parseLine(line)
  if (typeof record === 'object' && record !== null && !Array.isArray(record)) {
    return parseFact(record as FactRecord, pseudonyms, now_ms)
  }
  throw new FactError('the line is no JSON object')
}

function parseLine(line: string): unknown {
  try {
    return parseJson(line)
  } catch {
    throw new FactError('the line is no JSON')
  }
}
