import { Afterwards, type Context } from './context.ts'
import { GraphError, INVALID_PARAMETER, UNSUPPORTED_REQUEST } from './error.ts'
import { findVisibleNode, isUser, missingAliases } from './node.ts'
import { type Parameter, required } from './parameter.ts'
import { givenNames } from './parameters.ts'
import { findVisibleRun } from './report-run.ts'
import { listOf, TEXT } from './schema.ts'

/** Nodes that `ids` may name at once. */
export const IDS_MAX = 50

export const IDS: Parameter = required(
  'ids',
  `The ids of the nodes, at most ${IDS_MAX}.`,
  listOf(TEXT, { maxItems: IDS_MAX }),
)

/**
 * Answers what `ids` asks of several nodes at once, each under its id as if it were asked alone (contract 9.8): the nodes
 * themselves, or a list of each that the path names. One that is missing, or cannot be answered, fails them all.
 */
export async function answerMany(
  context: Context,
  answerOne: (context: Context) => Promise<unknown>,
): Promise<Afterwards> {
  const ids = parseIds(context)
  const seen = await Promise.all(ids.map((id) => isVisible(context, id)))
  const missing = ids.filter((_, i) => !seen[i])
  if (missing.length > 0) throw missingAliases(missing)
  const answers: [id: string, answer: unknown][] = []
  for (const id of ids) answers.push([id, await answerOne(contextOf(context, id))])
  return new Afterwards(async () => {
    const told = answers.map(async ([id, answer]) => [id, answer instanceof Afterwards ? await answer.run() : answer])
    return Object.fromEntries(await Promise.all(told))
  })
}

function parseIds({ call: { method, path, parameters } }: Context): readonly string[] {
  const names = givenNames(parameters, 'ids')
  if (names === undefined) {
    if (path.id !== undefined) throw missingAliases([path.id])
    throw new GraphError(UNSUPPORTED_REQUEST, `Unsupported ${method.toLowerCase()} request.`)
  }
  const ids = [...new Set(names)]
  if (ids.length <= IDS_MAX) return ids
  throw new GraphError(INVALID_PARAMETER, `Too many IDs. Maximum: ${IDS_MAX}. Provided: ${ids.length}.`)
}

async function isVisible(context: Context, id: string): Promise<boolean> {
  if (isUser(context, id)) return true
  return ((await findVisibleNode(context, id)) ?? (await findVisibleRun(context, id))) !== undefined
}

/** The call of one of the nodes: what stands alone in the path of many is an edge of each. */
function contextOf(context: Context, id: string): Context {
  const { path } = context.call
  const { version, id: edge } = path
  const parameters = new Map(context.call.parameters)
  parameters.delete('ids')
  const normal = [version, id, ...(edge === undefined ? [] : [edge])].join('/')
  return { ...context, call: { ...context.call, path: { ...path, id, edge, normal }, parameters } }
}
