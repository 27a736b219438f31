import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

/** The script of `readout`. */
export const MAIN = join(import.meta.dirname, '../src/cli/main.ts')

/** How a command of the terminal ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What a process is not allowed. */
export interface Limits {
  /** The user and group that it runs as; only root can say so. */
  readonly uid?: number
  /** The longest file that it may write, in bytes: beyond it, a disk fails. */
  readonly file_bytes_max?: number
}

/** What `ulimit -f` counts in. */
const BLOCK_BYTES = 512

/** Starts the real `readout` in a process of its own, with nothing of our environment that it reads. */
export function start(args: readonly string[], env: Record<string, string> = {}, limits: Limits = {}): ChildProcess {
  const { uid, file_bytes_max } = limits
  const options = { env: { PATH: process.env.PATH, ...env }, ...(uid !== undefined && { uid, gid: uid }) }
  if (file_bytes_max === undefined) return spawn(process.execPath, [MAIN, ...args], options)
  const limit = `ulimit -f ${Math.floor(file_bytes_max / BLOCK_BYTES)}`
  return spawn('sh', ['-c', `${limit} && exec "$0" "$@"`, process.execPath, MAIN, ...args], options)
}

/** Runs `readout` to its end. */
export async function readout(
  args: readonly string[],
  env: Record<string, string> = {},
  limits: Limits = {},
): Promise<Ended> {
  const child = start(args, env, limits)
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'exit') as Promise<[number | null]>,
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
  ])
  return { code, stdout, stderr }
}

/** A running `readout serve`, stopped by SIGTERM when it is disposed. */
export class Serving implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly url: string
  readonly greeting: string

  private constructor(child: ChildProcess, greeting: string) {
    this.#child = child
    this.greeting = greeting
    this.url = /http:\/\/[\w.:]+/.exec(greeting)?.[0] ?? ''
  }

  static start(args: readonly string[], env?: Record<string, string>, limits?: Limits): Promise<Serving> {
    return Serving.greeted(start(['serve', '--port', '0', ...args], env, limits))
  }

  /** A server that was started by other means, once it listens. */
  static async greeted(child: ChildProcess): Promise<Serving> {
    let greeting = ''
    for await (const chunk of child.stdout ?? []) {
      greeting += String(chunk)
      if (greeting.includes('/metrics')) return new Serving(child, greeting)
    }
    throw new Error(`readout serve ended: ${greeting}`)
  }

  /** Asks it to stop, and returns its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode
    const exited = once(this.#child, 'exit')
    this.#child.kill(signal)
    const [code] = (await exited) as [number | null]
    return code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}
