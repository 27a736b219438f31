import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatMachine, type Machine } from '../../bench/machine.ts'
import type { CrashRecord } from './crash-loop.ts'

const RESULTS = join(import.meta.dirname, '../../bench/results')

/** A run for people, as Markdown. */
export function formatRecord(record: CrashRecord): string {
  const { seed, servers, rounds, kills, facts, webhooks_cut_off, reports, seconds } = record
  const where = servers === 1 ? '' : `, ${servers} servers on one PostgreSQL,`
  const rows = Object.entries(kills).map(
    ([phase, { killed, in_the_midst }]) => `| ${phase} | ${killed} | ${in_the_midst} |\n`,
  )
  return [
    `${rounds} rounds from seed ${seed}${where} in ${Math.round(seconds)} s: ${facts} facts told by webhooks, repeats included; ` +
      `${webhooks_cut_off} webhooks cut off before their answer; ${reports} reports answered for before a kill.\n` +
      'Nothing lost, nothing twice.\n\n',
    '| Killed | Times | In the midst of it |\n| --- | ---: | ---: |\n',
    ...rows,
  ].join('')
}

/** Writes a run beside those of the bench, for people and for programs; returns the file for people. */
export function writeRecord(record: CrashRecord, machine: Machine, now_ms: number): string {
  const day = new Date(now_ms).toISOString().slice(0, 10)
  const name = join(
    RESULTS,
    `${day}-${machine.commit}${machine.is_dirty ? '-changed' : ''}-crash${record.servers === 1 ? '' : '-servers'}`,
  )
  const head = `# Crash loop of ${day}, commit ${machine.commit}\n\n${formatMachine(machine)}.\n\n`
  writeFileSync(`${name}.md`, head + formatRecord(record))
  writeFileSync(`${name}.json`, `${JSON.stringify({ day, machine, record }, null, 2)}\n`)
  return `${name}.md`
}
