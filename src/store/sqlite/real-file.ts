import { lstatSync, readlinkSync, realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Links that lead on to each other without end. */
const LINKS_MAX = 40

/** The file that a name stands for, through links, though it may not be there: its log and its lock are beside that one. */
export function realFileOf(file: string, links_left: number = LINKS_MAX): string {
  const stat = lstatSync(file, { throwIfNoEntry: false })
  if (stat === undefined) return file
  if (!stat.isSymbolicLink() || links_left === 0) return realpathSync(file)
  return realFileOf(resolve(dirname(file), readlinkSync(file)), links_left - 1)
}
