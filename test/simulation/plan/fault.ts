/** Tables at whose next change a fault may strike: those that are changed seldom, and some that are changed often. */
export const FAULT_TABLES = [
  'account',
  'ad',
  'ad_page',
  'click',
  'failure',
  'message',
  'page_event',
  'parked',
  'rollup',
  'rollup_country',
  'unresolved_ad',
] as const

/** Where a fault strikes: at the next beginning, commit or sync, at the next change of a table, or at the n-th statement. */
export type FaultPoint = 'begin' | 'commit' | 'sync' | (typeof FAULT_TABLES)[number] | number

/** What happens there: the process is killed, or the power cut; or the statement fails, though a commit may be done. */
export type FaultEffect = `${'kill' | 'cut' | 'fail'} ${'before' | 'after'}`

export interface Fault {
  readonly point: FaultPoint
  readonly effect: FaultEffect
  /** How much of what was not synced a power cut leaves, from 0 to 1. */
  readonly left: number
}
