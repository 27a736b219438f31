import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { inspect, parseArgs } from 'node:util'
import { readMachine } from '../../bench/machine.ts'
import { runCrashLoop } from './crash-loop.ts'
import { formatRecord, writeRecord } from './record.ts'

const EXIT = { ok: 0, failed: 1, unusable: 2 }
const USAGE = 'use: npm run crash -- [--rounds N] [--seed N] [--record]'
const ROUNDS = '30'

process.exitCode = await run()

/** Kills and counts for so many rounds, and prints what came of it. */
async function run(): Promise<number> {
  const options = readOptions()
  if (options === undefined) return say(USAGE, EXIT.unusable)
  const { rounds, seed, isRecorded } = options
  // As it is when the run begins: it is that code which the servers run.
  const machine = readMachine()
  const folder = mkdtempSync(join(tmpdir(), 'readout-crash-'))
  try {
    const record = await runCrashLoop(rounds, seed, folder, (so_far) => say(`${so_far.rounds} of ${rounds} rounds`))
    rmdirSync(folder)
    process.stdout.write(formatRecord(record))
    if (isRecorded) say(`recorded in ${relative(process.cwd(), writeRecord(record, machine, Date.now()))}`)
    return EXIT.ok
  } catch (error) {
    return say(inspect(error, { depth: 8 }), EXIT.failed)
  }
}

function readOptions(): { rounds: number; seed: number; isRecorded: boolean } | undefined {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string', default: ROUNDS },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        record: { type: 'boolean', default: false },
      },
    })
    const [rounds, seed] = [Number(values.rounds), Number(values.seed)]
    const isUsable = Number.isSafeInteger(rounds) && rounds > 0 && Number.isSafeInteger(seed) && seed >= 0
    return isUsable ? { rounds, seed, isRecorded: values.record } : undefined
  } catch {
    return undefined
  }
}

function say(message: string, exit_code = EXIT.ok): number {
  process.stderr.write(`${message}\n`)
  return exit_code
}
