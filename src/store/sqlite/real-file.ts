import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Links that lead on to each other without end. */
const LINKS_MAX = 40

/** The file that a name stands for, through links, though it may not be there: its log and its lock are beside that one. */
export function realFileOf(file: string, links_left: number = LINKS_MAX): string {
  if (isLink(file) && links_left > 0) return realFileOf(resolve(dirname(file), readlinkSync(file)), links_left - 1)
  return existsSync(file) ? realpathSync(file) : file
}

/** What cannot be looked at is told of by whoever opens it. */
function isLink(file: string): boolean {
  try {
    return lstatSync(file).isSymbolicLink()
  } catch {
    return false
  }
}
