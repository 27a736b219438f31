import { setImmediate } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { openStore } from '../store/open.ts'
import type { DeputyOptions, FromDeputy, ToDeputy } from './deputy.ts'
import { Directory } from './directory.ts'
import { answerErrand, type Errand, type ErrandDesk } from './errand.ts'
import { GraphError } from './error.ts'

/** How long an act waits for another program's transaction, such as a batch of an import: others wait behind it. */
const ACT_BUSY_MS_MAX = 3000

const { database, meta_history_limit } = workerData as DeputyOptions
const port = parentPort ?? fail('the deputy runs in a worker thread of the server')
const reading = await openStore(database, { is_migrated: true })
const writing = await openStore(database, { is_migrated: true, busy_ms_max: ACT_BUSY_MS_MAX })
const desk: ErrandDesk = {
  reading,
  directory: new Directory(),
  writing,
  meta_history_limit,
  onObject: () => setImmediate(),
}
/** All that is under way, and ends before the thread does. */
const tasks = new Set<Promise<void>>()

port.on('message', (message: ToDeputy) => {
  if (message.kind === 'close') {
    void close()
    return
  }
  const task = run(message.number, message.errand)
  tasks.add(task)
  void task.finally(() => tasks.delete(task))
})

async function run(number: number, errand: Errand): Promise<void> {
  try {
    reply({ kind: 'answered', number, answer: await answerErrand(errand, desk) })
  } catch (error) {
    if (error instanceof GraphError) reply({ kind: 'refused', number, error: error.kind, text: error.text })
    else reply({ kind: 'failed', number, reason: error instanceof Error ? (error.stack ?? '') : String(error) })
  }
}

async function close(): Promise<void> {
  await Promise.all(tasks)
  await reading[Symbol.asyncDispose]()
  await writing[Symbol.asyncDispose]()
  port.close()
}

function reply(message: FromDeputy): void {
  port.postMessage(message)
}

function fail(message: string): never {
  throw new Error(message)
}
