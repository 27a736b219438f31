import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { HASH_KEY_BYTES } from '../ingest/pseudonym.ts'
import { CliError } from './error.ts'

/** The key file of a database: beside it, never in it (design 7). */
function hashKeyFile(database: string): string {
  return `${database}.key`
}

/**
 * Reads the key that personal ids are hashed with. It is made together with the database; one that went missing
 * afterwards is not made again, since under a new one every subscriber would be a stranger.
 */
export function readHashKey(database: string): Uint8Array {
  const file = hashKeyFile(database)
  if (!existsSync(file)) {
    if (existsSync(database) && statSync(database).size > 0) {
      checkDatabase(database)
      throw new CliError(
        `cannot open ${database}: its hash key ${file} is missing; put it back, or set READOUT_HASH_KEY to what it held`,
      )
    }
    makeHashKey(file)
  }
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex')
  if (key.length === HASH_KEY_BYTES) return key
  throw new CliError(`cannot read the hash key ${file}: it must hold ${HASH_KEY_BYTES * 2} hex digits`)
}

const SQLITE_HEADER = 'SQLite format 3\0'

function checkDatabase(database: string): void {
  const isFile = statSync(database).isFile()
  if (isFile && readFileSync(database).subarray(0, SQLITE_HEADER.length).toString('latin1') === SQLITE_HEADER) return
  throw new CliError(`cannot open ${database}: it is no database; name another with --database`)
}

/** Two processes may start at once: the file appears whole, and only once. */
function makeHashKey(file: string): void {
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  writeFileSync(draft, `${randomBytes(HASH_KEY_BYTES).toString('hex')}\n`, { mode: 0o600 })
  chmodSync(draft, 0o600)
  try {
    linkSync(draft, file)
  } catch (error) {
    if (!existsSync(file)) throw error
  } finally {
    rmSync(draft)
  }
}
