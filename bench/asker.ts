import { Agent, get } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'

/** What an asker is started with. */
export interface Asking {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly every_ms: number
}

/** How long each answer took that was 200, and what became of the other questions. */
export interface Asked {
  readonly took_ms: readonly number[]
  readonly failures: readonly string[]
}

const { url, headers, every_ms } = workerData as Asking
const agent = new Agent({ keepAlive: true })
const took_ms: number[] = []
const failures: string[] = []

// In a thread of its own, so that what sends the load does not delay the clock; steadily, whether the last answer is there or not.
const timer = setInterval(ask, every_ms)
parentPort?.once('message', () => {
  clearInterval(timer)
  parentPort?.postMessage({ took_ms, failures } satisfies Asked)
  agent.destroy()
})

function ask(): void {
  const started_ms = performance.now()
  const request = get(url, { agent, headers }, (response) => {
    response.resume()
    response.once('end', () => {
      if (response.statusCode === 200) took_ms.push(performance.now() - started_ms)
      else failures.push(`a question was answered ${response.statusCode}`)
    })
  })
  request.once('error', (cause) => {
    const kind = request.reusedSocket ? 'an old' : 'a new'
    failures.push(
      `a question on ${kind} connection failed after ${Math.round(performance.now() - started_ms)} ms: ${cause}`,
    )
  })
}
