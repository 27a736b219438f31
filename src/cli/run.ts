import { CommanderError } from 'commander'
import { CsvFileError } from '../ingest/csv.ts'
import { ImportError } from '../ingest/import.ts'
import { HashKeyError } from '../ingest/pseudonym.ts'
import { RegistryError } from '../store/registry.ts'
import { DatabaseError } from '../store/sqlite/database.ts'
import { CliError, EXIT } from './error.ts'
import { say } from './output.ts'
import { openProgram } from './program.ts'

/** Runs a command; returns how it ends. */
export async function run(argv: readonly string[]): Promise<number> {
  // Nothing was asked of a reader that has gone, as `head` does.
  process.stdout.on('error', () => process.exit(EXIT.ok))
  try {
    await openProgram().parseAsync([...argv])
    return Number(process.exitCode ?? EXIT.ok)
  } catch (error) {
    return endOf(error)
  }
}

const EXPECTED = [RegistryError, DatabaseError, HashKeyError, CsvFileError, ImportError]

/** Expected failures are told in one line; any other is a mistake of ours, and shows where. */
function endOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.misused
  if (error instanceof CliError) {
    say(`readout: ${error.message}`)
    return error.exit_code
  }
  if (EXPECTED.some((kind) => error instanceof kind) || isSystemError(error)) {
    say(`readout: ${(error as Error).message}`)
    return EXIT.failed
  }
  throw error
}

/** Such as a port in use, or a disk that is full. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
