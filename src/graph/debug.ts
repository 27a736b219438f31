import type { Call } from './context.ts'
import { parseText } from './encoding.ts'
import { GLOBAL_PARAMETERS } from './global-parameters.ts'
import type { Parameter } from './parameter.ts'
import { given, type Parameters } from './parameters.ts'

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

/**
 * An answer with `__debug__` beside it where `debug` asks for it: which parameters of its endpoint, or of every call,
 * were sent in vain.
 */
export function withDebug(answer: unknown, { parameters }: Call, known: readonly Parameter[]): unknown {
  const asked = given(parameters, 'debug')
  const hasWarnings = typeof asked === 'string' ? DEBUGS.get(parseText(asked)) : undefined
  if (hasWarnings === undefined || typeof answer !== 'object') return answer
  const messages = hasWarnings ? listDisregarded([...known, ...GLOBAL_PARAMETERS], parameters) : []
  return { ...answer, __debug__: { messages } }
}

function listDisregarded(known: readonly Parameter[], sent: Parameters): readonly DebugMessage[] {
  return known
    .filter(({ name, treatment }) => treatment === 'disregarded' && sent.has(name))
    .map(({ name, meaning }) => ({ message: `${name} has no effect. ${meaning}`, type: 'warning' }))
}
