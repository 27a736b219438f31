import type { Call } from './context.ts'
import { parseText } from './encoding.ts'
import { given, INSIGHTS_PARAMETERS } from './insights-parameters.ts'

/** What `debug` may say (contract 9.11). Ours are warnings: `info` alone asks for none of them. */
const DEBUGS: ReadonlyMap<string, boolean> = new Map([
  ['all', true],
  ['warning', true],
  ['info', false],
])

interface DebugMessage {
  readonly message: string
  readonly type: 'warning'
}

/** An answer with `__debug__` beside it where `debug` asks for it: which parameters were sent in vain. */
export function withDebug(answer: unknown, { path, parameters }: Call): unknown {
  const asked = given(parameters, 'debug')
  const hasWarnings = typeof asked === 'string' ? DEBUGS.get(parseText(asked)) : undefined
  if (hasWarnings === undefined || typeof answer !== 'object') return answer
  const isInsights = [path.id, path.edge].includes('insights')
  const messages = hasWarnings && isInsights ? listDisregarded([...parameters.keys()]) : []
  return { ...answer, __debug__: { messages } }
}

function listDisregarded(names: readonly string[]): readonly DebugMessage[] {
  return INSIGHTS_PARAMETERS.filter(({ name, treatment }) => treatment === 'disregarded' && names.includes(name)).map(
    ({ name, meaning }) => ({ message: `${name} has no effect. ${meaning}`, type: 'warning' }),
  )
}
