import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { HASH_KEY_BYTES } from '../ingest/pseudonym.ts'
import { describeDatabase, isPostgres } from '../store/open.ts'
import { refuseOrphanedLog } from '../store/sqlite/database.ts'
import { CliError } from './error.ts'

/** The key file of a database: beside it, never in it (design 7). */
export function hashKeyFile(database: string): string {
  return `${database}.key`
}

/**
 * Reads the key that personal ids are hashed with. It is made together with the database; one that went missing
 * afterwards is not made again, since under a new one every subscriber would be a stranger.
 */
export function readHashKey(database: string): Uint8Array {
  if (isPostgres(database)) {
    throw new CliError(
      `cannot open ${describeDatabase(database)}: the hash key of a PostgreSQL database is no file; set READOUT_HASH_KEY, ` +
        'the same for every server, to 64 hex digits, such as from: openssl rand -hex 32',
    )
  }
  refuseOrphanedLog('open', database)
  const file = hashKeyFile(database)
  const isEmpty = existsSync(database) && statSync(database).size < SQLITE_HEADER.length
  if (!existsSync(file)) {
    if (existsSync(database) && !isEmpty) {
      if (!isDatabase(database)) {
        throw new CliError(`cannot open ${database}: it is no database; name another with --database`)
      }
      throw new CliError(
        `cannot open ${database}: its hash key ${file} is missing; put it back, or set READOUT_HASH_KEY to what it held`,
      )
    }
    writeHashKey(file, randomBytes(HASH_KEY_BYTES))
  } else if (isEmpty) {
    throw new CliError(
      `cannot open ${database}: it is empty, and ${file} is the key of what was in it; put a backup in its place with: ` +
        'readout restore, or remove both to begin anew',
    )
  }
  return readKeyFile(file)
}

const KEY = new RegExp(`^[0-9a-fA-F]{${HASH_KEY_BYTES * 2}}$`)

/** The key that these hex digits are; `undefined` for any other text. */
export function parseHashKey(text: string): Uint8Array | undefined {
  return KEY.test(text) ? Buffer.from(text, 'hex') : undefined
}

/** Reads a key file. Throws a CliError when it holds no key. */
export function readKeyFile(file: string): Uint8Array {
  if (statSync(file).isDirectory()) throw new CliError(`cannot read the hash key ${file}: it is a folder; move it away`)
  const key = parseHashKey(readFileSync(file, 'utf8').trim())
  if (key !== undefined) return key
  throw new CliError(`cannot read the hash key ${file}: it must hold ${HASH_KEY_BYTES * 2} hex digits`)
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not; give it the right to write the folder',
  EROFS: 'the disk may only be read; name another database',
  ENOSPC: 'the disk is full; make room',
  ENAMETOOLONG: 'the name is too long; name another database',
}

const SQLITE_HEADER = 'SQLite format 3\0'

/** Whether a file begins as every database of SQLite's does. */
export function isDatabase(file: string): boolean {
  return statSync(file).isFile() && readStart(file, SQLITE_HEADER.length) === SQLITE_HEADER
}

/** The first bytes of a file, which may be larger than what fits in memory. */
function readStart(file: string, length: number): string {
  const descriptor = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(length)
    readSync(descriptor, bytes)
    return bytes.toString('latin1')
  } finally {
    closeSync(descriptor)
  }
}

/** Writes a key file, unless there is one: two processes may start at once, and it appears whole, and only once. */
export function writeHashKey(file: string, key: Uint8Array): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(draft, `${Buffer.from(key).toString('hex')}\n`, { mode: 0o600 })
    chmodSync(draft, 0o600)
    linkSync(draft, file)
  } catch (error) {
    if (!existsSync(file)) throw unwritten(file, error)
  } finally {
    removeDraft(draft)
  }
}

/** What could not be made may not be removed, either; why it could not is told already. */
function removeDraft(draft: string): void {
  try {
    rmSync(draft, { force: true })
  } catch {}
}

function unwritten(file: string, error: unknown): CliError {
  const { code, message } = error as NodeJS.ErrnoException
  const why = WORDS[code ?? ''] ?? `${message}; name another database`
  return new CliError(`cannot write the hash key ${file}: ${why}`)
}
