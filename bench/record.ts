import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { formatMachine, type Machine } from './machine.ts'
import { formatMarkdown, isReached } from './table.ts'

const RESULTS = join(import.meta.dirname, 'results')

/** Writes a run beside the others, for people and for programs; returns the file for people. */
export function writeRecord({ plan, report, now_ms }: Bench, machine: Machine, suffix: string): string {
  const day = new Date(now_ms).toISOString().slice(0, 10)
  const name = join(RESULTS, `${day}-${machine.commit}${machine.is_dirty ? '-changed' : ''}${suffix}`)
  const { remarks } = report
  const head = `# Bench of ${day}, commit ${machine.commit}\n\n${formatMachine(machine)}, ${plan.name} run.\n`
  const notes = remarks.map((remark) => `- ${remark}\n`).join('')
  const figures = report.figures.map((figure) => ({
    ...figure,
    what: figure.what.trim(),
    is_reached: isReached(figure),
  }))
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(`${name}.md`, [head, formatMarkdown(report.figures), notes].filter((part) => part !== '').join('\n'))
  writeFileSync(`${name}.json`, `${JSON.stringify({ day, machine, plan, figures, remarks }, null, 2)}\n`)
  return `${name}.md`
}
