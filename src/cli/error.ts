/** How a command ends, as Meta's Ads CLI and `gh` have it. */
export const EXIT = { ok: 0, failed: 1, cancelled: 2, misused: 2, unauthorized: 4 } as const

/** An expected failure of a command: what is printed, and how the command ends. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exit_code: number

  constructor(message: string, exit_code: number = EXIT.failed) {
    super(message)
    this.exit_code = exit_code
  }
}
