import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { formatMachine, readMachine } from './machine.ts'
import { type AnswerTimes, type Overload, runOverload } from './overload.ts'

const EXIT = { ok: 0, failed: 1, unusable: 2 }
const USAGE = 'use: npm run overload -- [--seconds N] [--record]'
const FLOOD_S = '60'

const RESULTS = join(import.meta.dirname, 'results')

process.exitCode = await run()

/** Floods a server, prints what came of it, and says whether it was as it must be. */
async function run(): Promise<number> {
  const options = readOptions()
  if (options === undefined) return say(USAGE, EXIT.unusable)
  const machine = readMachine()
  const folder = mkdtempSync(join(tmpdir(), 'readout-overload-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const overload = await runOverload(folder, { press_s: 15, quiet_s: 10, flood_s: options.flood_s })
  const text = formatOverload(overload, options.flood_s)
  process.stdout.write(`${text}\n${formatMachine(machine)}\n`)
  for (const failure of overload.failures) say(`overload: not as it must be: ${failure}`)
  if (options.isRecorded) {
    const day = new Date().toISOString().slice(0, 10)
    const name = join(RESULTS, `${day}-${machine.commit}${machine.is_dirty ? '-changed' : ''}-overload`)
    writeFileSync(
      `${name}.md`,
      `# Overload of ${day}, commit ${machine.commit}\n\n${formatMachine(machine)}.\n\n${text}`,
    )
    writeFileSync(`${name}.json`, `${JSON.stringify({ day, machine, flood_s: options.flood_s, overload }, null, 2)}\n`)
    say(`recorded in ${relative(process.cwd(), name)}.md`)
  }
  return overload.failures.length === 0 ? EXIT.ok : EXIT.failed
}

function readOptions(): { flood_s: number; isRecorded: boolean } | undefined {
  try {
    const { values } = parseArgs({
      options: { seconds: { type: 'string', default: FLOOD_S }, record: { type: 'boolean', default: false } },
    })
    const flood_s = Number(values.seconds)
    return flood_s > 0 && Number.isFinite(flood_s) ? { flood_s, isRecorded: values.record } : undefined
  } catch {
    return undefined
  }
}

function formatOverload(overload: Overload, flood_s: number): string {
  const { failures } = overload
  const rows: readonly [what: string, value: string][] = [
    ['what the writer takes when it is never left waiting', `${format(overload.capacity_facts_per_s)} facts/s`],
    [`offered for ${flood_s} s`, `${format(overload.offered_facts_per_s)} facts/s`],
    ['committed meanwhile', `${format(overload.taken_facts_per_s)} facts/s`],
    ['different webhooks, of 1000 facts', format(overload.webhooks)],
    ['answers 503, each with Retry-After', format(overload.refusals)],
    ['insights p99, in quiet', formatTimes(overload.quiet)],
    ['insights p99, the writer busy all the time', formatTimes(overload.pressed)],
    ['insights p99, flooded', formatTimes(overload.flooded)],
    ['memory at most, first third', megabytes(overload.early_bytes)],
    ['memory at most, last third', megabytes(overload.late_bytes)],
  ]
  const verdict =
    failures.length === 0 ? 'Every fact was there once after the retries.' : `Failed: ${failures.join('; ')}.`
  return `| What | Measured |\n| --- | ---: |\n${rows.map((row) => `| ${row.join(' | ')} |\n`).join('')}\n${verdict}\n`
}

function formatTimes({ p99_ms, bare_p99_ms }: AnswerTimes): string {
  return `${p99_ms.toFixed(1)} ms; of a bare server meanwhile ${bare_p99_ms.toFixed(1)} ms`
}

function format(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function megabytes(bytes: number | null): string {
  return bytes === null ? 'unknown' : `${Math.round(bytes / 1e6)} MB`
}

function say(message: string, exit_code = EXIT.ok): number {
  process.stderr.write(`${message}\n`)
  return exit_code
}
