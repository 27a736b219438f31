import { exitOf, type NodeProcess, readCpu_ms, readMemory, readPeakMemory, startNode } from './node-process.ts'

const READY_MS_MAX = 20_000
const DRAIN_MS_MAX = 30_000
const DRAIN_EVERY_MS = 50

/** A server that runs in a process of its own: Readout, or the bare one beside which it is measured. */
export class ServerProcess implements AsyncDisposable {
  readonly url: string
  readonly #child: NodeProcess
  readonly #exit: Promise<unknown>

  private constructor(child: NodeProcess, exit: Promise<unknown>, url: string) {
    this.#child = child
    this.#exit = exit
    this.url = url
  }

  /** Starts a server that prints where it listens. Throws when it does not get so far. */
  static async start(script: string, args: readonly string[]): Promise<ServerProcess> {
    const child = startNode(script, args)
    child.stderr.pipe(process.stderr)
    const exit = exitOf(child)
    return new ServerProcess(child, exit, await urlOf(child, script))
  }

  get peak_memory_bytes(): number | null {
    return readPeakMemory(this.#child)
  }

  get memory_bytes(): number | null {
    return readMemory(this.#child)
  }

  get cpu_ms(): number | null {
    return readCpu_ms(this.#child)
  }

  /** The sums of Readout's own counts over all labels, once nothing waits to be committed any more. */
  async readCounts(): Promise<ReadonlyMap<string, number>> {
    const until_ms = performance.now() + DRAIN_MS_MAX
    for (;;) {
      const counts = parseCounts(await (await fetch(`${this.url}/metrics`)).text())
      if (counts.get('readout_queue_bodies') === 0) return counts
      if (performance.now() > until_ms) throw new Error('the server does not get done with its webhooks')
      await new Promise((resolve) => setTimeout(resolve, DRAIN_EVERY_MS))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#exit
  }
}

function urlOf(child: NodeProcess, script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${script} does not say where it listens`)), READY_MS_MAX)
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
      const url = /http:\/\/[\w.:[\]]+/.exec(text)?.[0]
      if (url === undefined) return
      clearTimeout(late)
      resolve(url)
    })
    child.once('exit', (code) => {
      clearTimeout(late)
      reject(new Error(`${script} ended with ${code} before it listened`))
    })
  })
}

/** Counts by name; the answers also by door and status, as `readout_requests_total webhooks 200`. */
function parseCounts(text: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const [, name = '', labels = '', value] of text.matchAll(/^(readout_\w+)(\{[^}]*\})? (\S+)$/gm)) {
    const answers = /door="(\w+)",status="(\d+)"/.exec(labels)
    for (const key of answers === null ? [name] : [name, `${name} ${answers[1]} ${answers[2]}`]) {
      counts.set(key, (counts.get(key) ?? 0) + Number(value))
    }
  }
  return counts
}
