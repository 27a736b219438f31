import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { DatabaseError } from '../store.ts'
import { BUSY_MS_MAX, findFaults, refuseStrange } from './database.ts'
import { databaseError, isBusy, isDamage, troubleOf } from './error.ts'
import { lockDatabase, lockOf } from './lock.ts'

/** Pages copied in one step, 4 MiB: between steps there is time for a progress bar. */
const PAGES_PER_STEP = 1024

/** A draft, and what SQLite may have left beside it when its making was killed. */
const DRAFT_FILES = ['', '-journal', '-wal', '-shm']

/**
 * Makes the file that a copy of a database is drafted in, in the place of what a killed one left, and keeps it from others who would
 * make one of its name. Disposing it removes what was not given its name. Throws a DatabaseError.
 */
export function beginDraft(act: 'back up' | 'restore', from: string, draft: string): Disposable {
  using parts = new DisposableStack()
  parts.use(lockDraft(draft))
  try {
    removeDraft(draft)
    // Whoever may not read the one is not to read the other.
    closeSync(openSync(draft, 'wx', statSync(from).mode & 0o777))
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const why = code === 'EACCES' ? `this user may not write ${draft}` : `${draft} cannot be made (${message})`
    throw new DatabaseError(`cannot ${act} ${from}: ${why}; name another file`, { cause })
  }
  parts.defer(() => removeDraft(draft))
  return parts.move()
}

function lockDraft(draft: string): Disposable {
  try {
    return takeLock(draft)
  } catch (cause) {
    if (!existsSync(lockOf(draft))) {
      // Whoever had it is done in this moment, and its lock went with it.
      return takeLock(draft)
    }
    if (!(cause instanceof DatabaseError && isBusy(cause.cause))) throw cause
    const why = 'another command is making a file of this name'
    throw new DatabaseError(`cannot write ${draft}: ${why}; wait for it, or name another`, { cause })
  }
}

function takeLock(draft: string): Disposable {
  const parts = new DisposableStack()
  parts.use(lockDatabase(draft, 'back up to'))
  parts.defer(() => rmSync(lockOf(draft), { force: true }))
  return parts
}

/**
 * Copies a database as it is at one moment, while others go on writing to it, to a draft: one file, checked, without
 * anything beside it. Throws a DatabaseError for what is no database of Readout's, is of a newer one, or damaged.
 */
export async function copyDatabase(
  act: 'back up' | 'restore',
  from: string,
  draft: string,
  onProgress: (pages: number, total: number) => void,
): Promise<void> {
  try {
    await copyPages(act, from, draft, onProgress)
    checkDraft(act, from, draft)
  } catch (cause) {
    if (isDamage(cause)) throw damaged(act, from, (cause as Error).message)
    throw troubleOf(cause) === undefined ? cause : databaseError(act, `${from} to ${draft}`, cause)
  }
}

/** Removes a draft that was not given its name, with all that is beside it. */
function removeDraft(draft: string): void {
  for (const end of DRAFT_FILES) rmSync(draft + end, { force: true })
}

/** Syncs a draft and gives it its name: whoever looks meanwhile, and after a crash, finds the whole file there or none. */
export function publishDraft(draft: string, file: string): void {
  sync(draft)
  renameSync(draft, file)
  sync(dirname(file))
}

/** How long one waits for whoever has a file open that is to be put aside. */
const FOLD_MS_MAX = 1000

/**
 * Brings the log of a database into its file, so that this is all of it. False where it is too damaged for that. Throws a
 * DatabaseError while another program has it open, and would go on writing to what was put aside.
 */
export function foldLog(file: string): boolean {
  try {
    using db = new DatabaseSync(file, { timeout: FOLD_MS_MAX })
    db.exec('PRAGMA journal_mode = DELETE')
    return true
  } catch (cause) {
    if (isDamage(cause)) return false
    throw databaseError('put aside', file, cause)
  }
}

async function copyPages(
  act: string,
  from: string,
  draft: string,
  onProgress: (pages: number, total: number) => void,
): Promise<void> {
  using source = new DatabaseSync(from, { readOnly: true, timeout: BUSY_MS_MAX })
  // A transaction that has read holds the moment. Without it, each commit of others would begin the copy anew.
  source.exec('BEGIN')
  refuseStrange(source, act, from)
  await backup(source, draft, {
    rate: PAGES_PER_STEP,
    progress: ({ totalPages, remainingPages }) => onProgress(totalPages - remainingPages, totalPages),
  })
}

function checkDraft(act: string, from: string, draft: string): void {
  using db = new DatabaseSync(draft)
  // The log's mode comes with the copy. Without it, the file can be read where nothing can be written beside it.
  db.exec('PRAGMA journal_mode = DELETE')
  const [fault] = findFaults(db)
  if (fault !== undefined) throw damaged(act, from, fault)
}

function damaged(act: string, from: string, fault: string): DatabaseError {
  const way_out = act === 'restore' ? 'take another backup' : 'put a backup in its place with: readout restore'
  return new DatabaseError(`cannot ${act} the database ${from}: it is damaged (${fault}); ${way_out}`)
}

function sync(file: string): void {
  const descriptor = openSync(file, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
