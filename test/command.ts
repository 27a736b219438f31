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

/** Starts the real `readout` in a process of its own, with nothing of our environment that it reads. */
export function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env.PATH, ...env } })
}

/** Runs `readout` to its end. */
export async function readout(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = start(args, env)
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

  static start(args: readonly string[], env?: Record<string, string>): Promise<Serving> {
    return Serving.greeted(start(['serve', '--port', '0', ...args], env))
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
