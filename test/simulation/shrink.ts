import type { History, Step } from './plan/step.ts'

/** Finds a shorter history that fails as well, by leaving out steps, then events, then questions. */
export async function shrink(history: History, fails: (history: History) => Promise<boolean>): Promise<History> {
  const isFailing = (steps: readonly Step[]) => fails({ ...history, steps })
  let steps = await reduce(history.steps, isFailing)
  for (const parts of [EVENTS, QUESTIONS]) {
    const places = steps.flatMap((step, place) => parts.of(step).map((_, part) => ({ place, part })))
    const only = (left: typeof places) => {
      const byStep = Map.groupBy(left, ({ place }) => place)
      return steps.flatMap((step, i) => parts.keep(step, new Set(byStep.get(i)?.map(({ part }) => part))))
    }
    steps = only(await reduce(places, (left) => isFailing(only(left))))
  }
  return { ...history, steps }
}

/** Leaves out what is not needed, in halves, then in quarters, and so on down to one. */
async function reduce<Item>(items: readonly Item[], isEnough: (items: Item[]) => Promise<boolean>): Promise<Item[]> {
  let left = [...items]
  for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < left.length; ) {
      const without = left.toSpliced(start, size)
      if (await isEnough(without)) left = without
      else start += size
    }
  }
  return left
}

/** What a step is made of that can be left out of it. */
interface Parts {
  readonly of: (step: Step) => readonly unknown[]
  /** The step with the parts at these places; nothing where it would be no step without the others. */
  readonly keep: (step: Step, places: ReadonlySet<number>) => Step | []
}

const EVENTS: Parts = {
  of: (step) => {
    if (step.kind === 'webhook') return step.events
    return step.kind === 'act' && step.act.kind === 'import' ? step.act.events : []
  },
  keep: (step, places) => {
    const isKept = (_: unknown, place: number) => places.has(place)
    if (step.kind === 'webhook') return places.size === 0 ? [] : { ...step, events: step.events.filter(isKept) }
    if (step.kind !== 'act' || step.act.kind !== 'import') return step
    return { ...step, act: { ...step.act, events: step.act.events.filter(isKept) } }
  },
}

const QUESTIONS: Parts = {
  of: (step) => (step.kind === 'check' ? step.questions : []),
  keep: (step, places) =>
    step.kind === 'check' ? { ...step, questions: step.questions.filter((_, place) => places.has(place)) } : step,
}
