import type { Node } from '../store/registry.ts'
import type { Tables } from '../store/store.ts'
import type { Token } from '../store/tokens.ts'
import type { Budget } from './budget.ts'
import type { Directory } from './directory.ts'
import type { Parameters } from './parameters.ts'
import type { GraphPath } from './path.ts'
import type { Reporter } from './reporter.ts'

/** A request past its wire form: one of its own, or an item of a batch. */
export interface Call {
  /** GET, POST or DELETE, as `method=` overrides it. */
  readonly method: string
  readonly path: GraphPath
  readonly parameters: Parameters
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly base_url: string
}

/** What is still to be done for an answer when the transaction that it was made in has ended. */
export class Afterwards {
  readonly run: () => Promise<unknown>

  constructor(run: () => Promise<unknown>) {
    this.run = run
  }
}

/** What an endpoint answers from: the call of a caller, within one transaction. */
export interface Context {
  readonly call: Call
  readonly token: Token
  readonly tables: Tables
  readonly directory: Directory
  readonly now: Temporal.Instant
  readonly meta_history_limit: boolean
  readonly budget: Budget
  /** Awaited whenever the rows of one more object were read: others have their turn. */
  readonly onObject?: () => Promise<void>
  readonly reporter: Pick<Reporter, 'order'>
  /** Names a report: digits that nobody can guess, by `formatRunId`. */
  readonly newRunId: () => string
  /** Nodes that stand above others, read once for the whole answer, by level and id: a thousand ads share a campaign. */
  readonly above: Map<string, Node | undefined>
}
