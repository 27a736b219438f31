import type { Store } from '../../../src/store/store.ts'
import { type Discrepancy, verify } from '../../../src/store/verify.ts'
import { countLines, readRollupLines } from '../../rollup-lines.ts'
import { formatQuery, type Question } from '../plan/question.ts'
import { TOKEN } from '../plan/universe.ts'
import { answerNaively, type Row } from './answers.ts'
import type { Expected } from './expected.ts'
import { checkSame, Violation } from './violation.ts'

/** A server whose ledger can be looked into, and which can be asked. */
export interface Checked {
  readonly store: Store
  get(path: string, query: string): Promise<{ status: number; json: unknown }>
  /** How much later than it is known to have sent something a page may have sent it. */
  readonly page_news_ms: number
}

/** Every rollup is the sum of its threads, whatever is still to be caught up with. */
export async function checkVerified({ store }: Pick<Checked, 'store'>): Promise<void> {
  const discrepancies: Discrepancy[] = []
  await store.read((tables) => verify(tables, (one) => discrepancies.push(one)))
  const lines = discrepancies.map(({ node, day, table, amount_of, stored, recounted }) =>
    [node, day, table, amount_of, `is ${stored} and should be ${recounted}`].join(' '),
  )
  checkSame('verify', lines, [])
}

/** The ledger holds what it should, and the answers say so. */
export async function checkCounted(
  server: Checked,
  expected: Expected,
  questions: readonly Question[],
  now_ms: number,
): Promise<void> {
  await checkVerified(server)
  await checkSetAside(server, expected)
  const counted = expected.ledger.count(expected)
  const lines = countLines(counted, expected.ledger.countFailures(expected))
  checkSame('rollups', await readRollupLines(server.store), lines)
  for (const question of questions) {
    const asked = `insights ${JSON.stringify(question)}`
    const rows = await ask(server, question)
    const should = answerNaively(question, counted, expected, now_ms)
    if ((rows === undefined) !== (should === undefined)) throw new Violation(`${asked}: is there such a node?`)
    checkSame(asked, linesOf(rows), linesOf(should))
  }
}

/** What waits for its ad, what could not have happened, and since when each page tells of what. */
async function checkSetAside({ store, page_news_ms }: Checked, expected: Expected): Promise<void> {
  checkSame('parked', await parkedLines(store), waitingLines(expected))

  const rejected = await store.setAside.listRejected('', expected.rejected.size + 1)
  checkSame('rejected', [`${rejected.length} changes`], [`${expected.rejected.size} changes`])

  const pages = (await store.arrivals.listPages()).map(({ page_id, kind, first_received_at, last_received_at }) => {
    const { last = 0 } = expected.pages.get(`${page_id} ${kind}`) ?? {}
    const isNews = last - last_received_at > page_news_ms || last < last_received_at
    return `${page_id} ${kind} ${first_received_at} ${isNews ? last_received_at : last}`
  })
  checkSame('pages', pages, [...expected.pages].map(([key, { first, last }]) => `${key} ${first} ${last}`).sort())
}

/** The facts that wait in the database, a line for each ad and page. */
export async function parkedLines({ setAside }: Store): Promise<string[]> {
  return (await setAside.listParked()).map(({ ad_id, page_id, facts }) => `${ad_id} ${page_id} ${facts}`).sort()
}

/** The facts that should wait, in the same form. */
export function waitingLines({ parked }: Expected): string[] {
  const waiting = Map.groupBy(parked.values(), ({ ad_id, page_id }) => `${ad_id} ${page_id}`)
  return [...waiting].map(([key, facts]) => `${key} ${facts.length}`).sort()
}

/** Every row of an answer, page by page; `undefined` where it says that there is no such node. */
async function ask(server: Checked, question: Question): Promise<Row[] | undefined> {
  const rows: Row[] = []
  const first = `http://readout/v25.0/${question.node}/insights?access_token=${TOKEN}&${formatQuery(question)}`
  for (let next: string | undefined = first; next !== undefined; ) {
    const { pathname, search }: URL = new URL(next)
    const { status, json } = await server.get(pathname, search.slice(1))
    if (isUnknownNode(status, json)) return undefined
    if (status !== 200) throw new Violation(`${next}: ${status} ${JSON.stringify(json)}`)
    const page = json as { readonly data: readonly Row[]; readonly paging?: { readonly next?: string } }
    rows.push(...page.data)
    next = page.paging?.next
  }
  return rows
}

function isUnknownNode(status: number, json: unknown): boolean {
  const { error } = json as { readonly error?: { readonly code: number; readonly error_subcode?: number } }
  return status === 400 && error?.code === 100 && error.error_subcode === 33
}

function linesOf(rows: readonly Row[] = []): string[] {
  return rows.map((row) => JSON.stringify(row, Object.keys(row).sort())).sort()
}
