import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { MAIN } from './command.ts'

/** One call that a process made of the operating system. */
export interface SystemCall {
  readonly name: string
  /** The file or the socket that it was made on. */
  readonly target: string
  /** What was read or written. */
  readonly bytes: Buffer
  readonly result: number
  /** Places in the order of all beginnings and ends, whatever the thread. */
  readonly begun: number
  readonly ended: number
}

const TRACED = 'read,write,writev,pwrite64,fsync,fdatasync'

/** More than a page of the database. */
const BYTES_MAX = 8192

const WRITTEN_MS_MAX = 10_000
const POLL_MS = 20

/** Why system calls cannot be seen here, and what to do about it; `false` where they can. */
export function whyUntraceable(): string | false {
  const { error, status, stderr } = spawnSync('strace', ['-f', '--seccomp-bpf', '-e', TRACED, 'true'], {
    encoding: 'utf8',
  })
  if (error !== undefined) return 'strace is not there: install it with apt install strace'
  return status !== 0 && `strace may not trace here: ${stderr.trim().split('\n')[0]}`
}

/** Starts `readout` with its system calls written to a file. The process is `readout` itself, as signals are to reach it. */
export function startTraced(file: string, args: readonly string[]): ChildProcess {
  const tracing = ['-D', '-f', '-y', '-xx', '--seccomp-bpf', '-s', String(BYTES_MAX), '-e', TRACED, '-o', file]
  return spawn('strace', [...tracing, process.execPath, MAIN, ...args], { env: { PATH: process.env.PATH } })
}

/** Reads what a traced process did, in the order in which the calls began; waits until all of it is written. */
export async function readSystemCalls(file: string, pid: number | undefined): Promise<SystemCall[]> {
  const late_ms = performance.now() + WRITTEN_MS_MAX
  const end = new RegExp(`^${pid} +\\+\\+\\+ `, 'm')
  while (!existsSync(file) || !end.test(readFileSync(file, 'latin1').slice(-4096))) {
    if (performance.now() > late_ms) throw new Error(`strace does not write how ${pid} ended`)
    await wait(POLL_MS)
  }
  return parseSystemCalls(readFileSync(file, 'latin1').split('\n'))
}

const LINE = /^(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\(\d+<([^>]*)>)(.*)$/
const UNFINISHED = '<unfinished ...>'

function parseSystemCalls(lines: readonly string[]): SystemCall[] {
  const calls: SystemCall[] = []
  const unfinished = new Map<string, { name: string; target: string; text: string; begun: number }>()
  for (const [place, line] of lines.entries()) {
    const [, thread = '', resumed, name = '', target = '', text = ''] = LINE.exec(line) ?? []
    const begin = { name, target, text: '', begun: place }
    if (thread === '') continue
    if (text.endsWith(UNFINISHED)) {
      unfinished.set(thread, { ...begin, text })
      continue
    }
    const call = resumed === undefined ? begin : unfinished.get(thread)
    if (call?.name === (resumed ?? name)) calls.push({ ...parsed(call.text + text), ...named(call), ended: place })
  }
  return calls.sort((a, b) => a.begun - b.begun)
}

function named({ name, target, begun }: { name: string; target: string; begun: number }) {
  return { name, target: unescaped(target).toString(), begun }
}

function parsed(text: string): { bytes: Buffer; result: number } {
  const parts = [...text.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, part = '']) => unescaped(part))
  return { bytes: Buffer.concat(parts), result: Number(/= (-?\d+)[^=]*$/.exec(text)?.[1]) }
}

function unescaped(text: string): Buffer {
  return text.includes('\\x') ? Buffer.from(text.replaceAll('\\x', ''), 'hex') : Buffer.from(text)
}
