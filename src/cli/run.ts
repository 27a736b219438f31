import { CommanderError } from 'commander'
import { CsvFileError } from '../ingest/csv.ts'
import { ImportError } from '../ingest/import-file.ts'
import { HashKeyError } from '../ingest/pseudonym.ts'
import { RegistryError } from '../store/registry.ts'
import { anotherFor, troubleOf } from '../store/sqlite/error.ts'
import { DatabaseError, StoreUnavailableError } from '../store/store.ts'
import { CliError, EXIT } from './error.ts'
import { say } from './output.ts'
import { openProgram } from './program.ts'

/** Runs a command; returns how it ends. */
export async function run(argv: readonly string[]): Promise<number> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that has gone, as `head` goes, has what it wanted.
    if (error.code !== 'EPIPE') say(`readout: cannot write the output: ${error.message}`)
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed)
  })
  try {
    await openProgram().parseAsync([...argv])
    return Number(process.exitCode ?? EXIT.ok)
  } catch (error) {
    return endOf(error)
  }
}

const EXPECTED = [RegistryError, DatabaseError, StoreUnavailableError, HashKeyError, CsvFileError, ImportError]

/** Expected failures are told in one line; any other is a mistake of ours, and shows where. */
function endOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.misused
  if (error instanceof CliError) {
    say(`readout: ${error.message}`)
    return error.exit_code
  }
  if (EXPECTED.some((kind) => error instanceof kind)) {
    say(`readout: ${(error as Error).message}`)
    return EXIT.failed
  }
  const trouble = troubleOf(error)
  if (trouble !== undefined) {
    say(`readout: cannot use the database: ${trouble.reason}; ${trouble.way_out ?? anotherFor('use')}`)
    return EXIT.failed
  }
  if (!isSystemError(error)) throw error
  say(`readout: ${describe(error)}`)
  return EXIT.failed
}

interface SystemError extends NodeJS.ErrnoException {
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
}

/** Such as a port in use, or a disk that is full. */
function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'syscall' in error
}

function describe(error: SystemError): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `cannot listen on ${error.address}:${error.port}: the port is taken; name another with --port`
    case 'ENOTFOUND':
    case 'EADDRNOTAVAIL':
      return `cannot listen on ${error.hostname ?? error.address}: it is no address of this machine; name another with --host`
    case 'EACCES':
      return `cannot use ${error.path ?? `port ${error.port}`}: permission denied`
    case 'EISDIR':
      return `cannot read ${error.path ?? 'this'}: it is a folder`
    default:
      return error.message
  }
}
