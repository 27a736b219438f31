import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The version of Readout, as `package.json` has it. */
export const VERSION = String(JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')).version)
