import type { WrkRun } from './wrk.ts'

/** Measures something so often, one after another, and returns all of it. */
export async function repeat<T>(times: number, measure: () => Promise<T>): Promise<T[]> {
  const measured: T[] = []
  while (measured.length < times) measured.push(await measure())
  return measured
}

/** The value in the middle; of an even number, the greater of the two. */
export function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number
}

/** The runs as one: the median of each of their figures, and all that went wrong in any. */
export function medianRun(runs: readonly WrkRun[]): WrkRun {
  const median = (figure: (run: WrkRun) => number) => medianOf(runs.map(figure))
  const sum = (count: (run: WrkRun) => number) => runs.reduce((total, run) => total + count(run), 0)
  const seconds = median((run) => run.seconds)
  return {
    requests: median((run) => run.requests / run.seconds) * seconds,
    seconds,
    refused: sum((run) => run.refused),
    broken: sum((run) => run.broken),
    p50_ms: median((run) => run.p50_ms),
    p99_ms: median((run) => run.p99_ms),
    repeats: sum((run) => run.repeats),
  }
}
