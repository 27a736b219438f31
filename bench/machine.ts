import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, totalmem } from 'node:os'

/** What the figures were measured on. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memory_gb: number
  readonly system: string
  readonly node: string
  /** `unknown` outside a checkout. */
  readonly commit: string
  readonly is_dirty: boolean
}

export function readMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory_gb: Math.round(totalmem() / 1e9),
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    commit: git('rev-parse', '--short', 'HEAD') ?? 'unknown',
    is_dirty: (git('status', '--porcelain', '--', ':/', ':(top,exclude)bench/results') ?? '') !== '',
  }
}

export function formatMachine({ cpu, cores, memory_gb, system, node, commit, is_dirty }: Machine): string {
  const state = is_dirty ? ' with changes' : ''
  return `${cpu}, ${cores} cores, ${memory_gb} GB, ${system}, Node ${node}, commit ${commit}${state}`
}

function git(...args: string[]): string | undefined {
  try {
    const stdio: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'ignore']
    return execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8', stdio }).trim()
  } catch {
    return undefined
  }
}
