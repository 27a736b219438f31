import type { ReportOrder } from '../store/reports.ts'
import type { Store } from '../store/store.ts'
import { StoreUnavailableError } from '../store/store.ts'
import type { Token } from '../store/tokens.ts'
import { Budget } from './budget.ts'
import { Afterwards, type Call, type Context } from './context.ts'
import { withDebug } from './debug.ts'
import { Directory } from './directory.ts'
import { GraphError, tooMuchData, UNAVAILABLE } from './error.ts'
import type { Parameter } from './parameter.ts'
import { formatRunId } from './report-order.ts'
import { findRoute } from './route.ts'

/** A call that the deputy answers, of a caller who was let in. */
export interface Errand {
  readonly call: Call
  readonly token: Token
  /** When the call came, in milliseconds since 1970. */
  readonly now_ms: number
  /** The id of the report that may be asked for, which the server made; of several, the next have those that follow. */
  readonly run_id: string
}

/** What errands are answered from. */
export interface ErrandDesk {
  readonly reading: Store
  /** Of `reading`, whose transactions come one after another. */
  readonly directory: Directory
  /** A connection of its own, so that an act does not wait for what is read. */
  readonly writing: Store
  readonly meta_history_limit: boolean
  /** Awaited between the objects that are read: acts have their turn. */
  readonly onObject: () => Promise<void>
}

/** What became of an errand: the body of its answer, JSON, which holds once the server has ordered the reports that it names. */
export interface ErrandAnswer {
  readonly body: string
  readonly orders: readonly ReportOrder[]
}

/** Whether an errand only reads: those take turns, while acts come between. */
export function isReading({ call }: Errand): boolean {
  return findRoute(call).permission === 'read'
}

/** Answers an errand. Throws a GraphError. */
export async function answerErrand(errand: Errand, desk: ErrandDesk): Promise<ErrandAnswer> {
  const { call, token, now_ms, run_id } = errand
  const { permission, answer, parameters } = findRoute(call)
  const { reading, writing, meta_history_limit, onObject } = desk
  const orders: ReportOrder[] = []
  let named = 0n
  const newRunId = () => formatRunId(BigInt(run_id) + named++)
  const reporter = { order: async (order: ReportOrder) => void orders.push(order) }
  const reads = permission === 'read'
  const directory = reads ? desk.directory : new Directory()
  const now = Temporal.Instant.fromEpochMilliseconds(now_ms)
  const answerFrom = async (tables: Context['tables']) => {
    await directory.open(tables)
    const context = { call, token, tables, directory, now, meta_history_limit, budget: Budget.whole(), onObject }
    return answer({ ...context, above: new Map(), reporter, newRunId })
  }
  const answered = reads ? reading.read(answerFrom) : writing.write(answerFrom)
  return { body: await formatBody(await answered.catch(asUnavailable), call, parameters), orders }
}

/** Characters of an answer, and of all answers of a batch: more would hold up whoever sends them. */
export const ANSWER_LENGTH_MAX = 8 * 1_048_576

/** Writes an answer down, when its transaction has ended. Throws a GraphError for one that is too long. */
export async function formatBody(answered: unknown, call: Call, known: readonly Parameter[]): Promise<string> {
  const told = answered instanceof Afterwards ? await answered.run() : answered
  const body = JSON.stringify(withDebug(told, call, known))
  if (body.length > ANSWER_LENGTH_MAX) throw tooMuchData()
  return body
}

function asUnavailable(error: unknown): never {
  if (error instanceof StoreUnavailableError) throw new GraphError(UNAVAILABLE, 'Service temporarily unavailable')
  throw error
}
