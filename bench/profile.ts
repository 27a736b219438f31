/** What `node --cpu-prof` writes, as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  /** In microseconds. */
  readonly timeDeltas: readonly number[]
}

/** A step of the work, and the functions that do it, each as `name file`; a name alone is Node's own. */
export type Label = readonly [step: string, functions: readonly string[]]

const IDLE = new Set(['(idle)', '(program)'])

/**
 * How a thread's busy time is shared among steps: each sample counts for the innermost function that a label names,
 * or else for the room that it is in.
 */
export function sharesOf({ nodes, samples, timeDeltas }: CpuProfile, labels: readonly Label[]): Map<string, number> {
  const steps = new Map(labels.flatMap(([step, functions]) => functions.map((name): [string, string] => [name, step])))
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(
    nodes.flatMap(({ id, children }) => (children ?? []).map((child): [number, number] => [child, id])),
  )
  const stepOf = new Map<number, string>()
  for (const { id } of nodes) {
    let step: string | undefined
    let room: string | undefined
    for (let at: number | undefined = id; at !== undefined && step === undefined; at = parents.get(at)) {
      const { functionName, url } = byId.get(at)?.callFrame ?? { functionName: '', url: '' }
      step = steps.get(`${functionName} ${url.split('/').at(-1)}`) ?? steps.get(functionName)
      room ??= /\/src\/(\w+)\//.exec(url)?.[1]
    }
    stepOf.set(id, step ?? (room === undefined ? "Node's own" : `the rest of ${room}`))
  }
  const shares = new Map<string, number>()
  let busy = 0
  for (const [i, id] of samples.entries()) {
    if (IDLE.has(byId.get(id)?.callFrame.functionName ?? '')) continue
    const step = stepOf.get(id) as string
    const us = timeDeltas[i] as number
    shares.set(step, (shares.get(step) ?? 0) + us)
    busy += us
  }
  return new Map([...shares].map(([step, us]): [string, number] => [step, us / busy]).sort(([, a], [, b]) => b - a))
}

/** Whether a thread ran a function of this file. */
export function runsIn({ nodes }: CpuProfile, file: string): boolean {
  return nodes.some(({ callFrame }) => callFrame.url.endsWith(file))
}
