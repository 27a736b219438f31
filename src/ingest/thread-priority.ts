import { readlinkSync } from 'node:fs'
import { constants, getPriority, setPriority } from 'node:os'
import { basename } from 'node:path'

/** Steps of `nice`: where both want one core, a thread with it gets a quarter. */
export const BEHIND_ANSWERS = 5

/**
 * Has the system run this thread after the one that answers, where there are not cores enough for both: a webhook can wait
 * some milliseconds, a reader looks at the screen. Linux gives each thread a priority of its own; elsewhere nothing changes.
 */
export function goBehindAnswers(): void {
  if (process.platform !== 'linux') return
  try {
    const thread = Number(basename(readlinkSync('/proc/thread-self')))
    setPriority(thread, Math.min(getPriority() + BEHIND_ANSWERS, constants.priority.PRIORITY_LOW))
  } catch {
    // Where /proc is not mounted, or a process may not change priorities, all threads stay alike.
  }
}
