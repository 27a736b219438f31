import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

/** A script of this project that runs as a process of its own. */
export type NodeProcess = ChildProcessByStdio<null, Readable, Readable>

/** What a command came to. */
export interface CommandRun {
  readonly stdout: string
  readonly stderr: string
  readonly wall_s: number
  readonly peak_memory_bytes: number | null
}

/** One key serves all databases of a run. */
export const HASH_KEY = randomBytes(32).toString('hex')

const ROOT = join(import.meta.dirname, '..')

/** How often a command's peak is read: what it takes in the last moment of its life is not seen. */
const PEAK_EVERY_MS = 25

/** Starts a script with this Node, and without the settings of whoever runs the bench; it ends when we do. */
export function startNode(script: string, args: readonly string[]): NodeProcess {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('READOUT_'))
  const env = { ...Object.fromEntries(others), READOUT_HASH_KEY: HASH_KEY }
  const child = spawn(process.execPath, [script, ...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
  return child
}

/** Runs a command of `readout` to its end. Throws when it fails. */
export async function runReadout(args: readonly string[]): Promise<CommandRun> {
  const started_ms = performance.now()
  const child = startNode('src/cli/main.ts', args)
  let peak_memory_bytes: number | null = null
  const peaks = setInterval(() => {
    peak_memory_bytes = readPeakMemory(child) ?? peak_memory_bytes
  }, PEAK_EVERY_MS)
  const texts = Promise.all([textOf(child.stdout), textOf(child.stderr)])
  const exit_code = await exitOf(child)
  clearInterval(peaks)
  const wall_s = (performance.now() - started_ms) / 1000
  const [stdout, stderr] = await texts
  if (exit_code === 0) return { stdout, stderr, wall_s, peak_memory_bytes }
  throw new Error(`readout ${args.slice(0, 2).join(' ')} ended with ${exit_code}: ${stderr}`)
}

/** The most memory that a process has held so far; `null` where the system does not tell, or the process has ended. */
export function readPeakMemory(child: NodeProcess): number | null {
  return readStatus(child, 'VmHWM')
}

/** The memory that a process holds now; `null` as above. */
export function readMemory(child: NodeProcess): number | null {
  return readStatus(child, 'VmRSS')
}

function readStatus({ pid }: NodeProcess, name: string): number | null {
  try {
    const kib = new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kib === undefined ? null : Number(kib) * 1024
  } catch {
    return null
  }
}

/** A tick of the clock by which Linux tells how long a process has run. */
const TICK_MS = 10

/** How long all threads of a process have run on a core so far, in milliseconds; `null` as above. */
export function readCpu_ms({ pid }: NodeProcess): number | null {
  try {
    // Behind the name, which may hold anything, in brackets: utime and stime are the 12th and 13th.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS
  } catch {
    return null
  }
}

export function exitOf(child: NodeProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', resolve)
  })
}

async function textOf(stream: Readable): Promise<string> {
  return Buffer.concat(await stream.toArray()).toString('utf8')
}
