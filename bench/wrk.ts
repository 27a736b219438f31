import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What one run of `wrk` came to. */
export interface WrkRun {
  /** Answers received. */
  readonly requests: number
  readonly seconds: number
  /** Answers of status 400 and above. */
  readonly refused: number
  /** Connections and requests that failed or timed out. */
  readonly broken: number
  readonly p50_ms: number
  readonly p99_ms: number
  /** How often the requests ran out, and were sent again from the first. */
  readonly repeats: number
}

export interface WrkOptions {
  readonly url: string
  /** A file of requests as writeRequests makes them. */
  readonly requests: string
  readonly connections: number
  readonly seconds: number
}

const SCRIPT = join(import.meta.dirname, 'requests.lua')

/** One is enough to load what we measure, and leaves the other core to it. */
const THREADS = 1
const TIMEOUT_S = 30

export function hasWrk(): boolean {
  return spawnSync('wrk', ['-v']).error === undefined
}

export async function runWrk({ url, requests, connections, seconds }: WrkOptions): Promise<WrkRun> {
  const size = ['-t', String(THREADS), '-c', String(connections), '-d', `${seconds}s`, '--timeout', `${TIMEOUT_S}s`]
  const { stdout } = await promisify(execFile)('wrk', [...size, '-s', SCRIPT, url, '--', requests])
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as WrkRun
}
