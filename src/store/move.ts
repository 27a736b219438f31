import { keyOf, MOVE_SETTING, ROW_TABLES, type RowKey, type RowTable, type RowValue, type TableRow } from './rows.ts'
import { DatabaseError, type Store, type Tables } from './store.ts'

/** Rows that are put into the target in one transaction. */
const BATCH_ROWS = 1000

/** A store, and its database as it is called in errors and in the note of a move. */
export interface MovedStore {
  readonly name: string
  readonly store: Store
}

export interface MoveOptions {
  readonly batch_rows?: number
  /** Rows that were moved or compared, of all that are to be, and which is done with which table. */
  readonly onProgress?: (done: number, total: number, act: string) => void
}

export interface Moved {
  /** All rows that are there now. */
  readonly rows: number
  /** Those of them that an earlier call had moved. */
  readonly found: number
  /** The first difference of each table that is not the same in both; none when all is well. */
  readonly differences: readonly string[]
}

/** How far a move into a database came. */
interface Note {
  readonly from: string
  /** The table that is being moved; `null` when all is there, and was compared. */
  readonly table: string | null
  readonly after: RowKey
  readonly rows: number
}

/**
 * Moves everything that a store holds to an empty one, and compares every row of both. Nobody writes to the source meanwhile: all
 * of it is one transaction there, which changes nothing. In the target each batch is one, with a note of how far it came: stopped
 * at any instant, the same call goes on. Throws a DatabaseError where the target is not for it.
 */
export async function move(from: MovedStore, to: MovedStore, options: MoveOptions = {}): Promise<Moved> {
  await refuseHalfMoved(from.store)
  return from.store.write(async (source) => {
    const start = (await readNote(to.store)) ?? (await begin(from, to))
    if (start.from !== from.name) {
      throw refusal(to, `it is the target of a move from ${start.from}`)
    }
    const total = await countRows(source)
    const tell = (done: number, act: string) => options.onProgress?.(done, 2 * total, act)
    const batch_rows = options.batch_rows ?? BATCH_ROWS
    const rows = start.table === null ? start.rows : await copy(source, to.store, start, batch_rows, tell)
    const differences = await to.store.read((target) =>
      compare(source, target, [from.name, to.name], batch_rows, (done, act) => tell(total + done, act)),
    )
    if (start.table !== null && differences.length === 0) {
      await to.store.write((tables) => writeNote(tables, { ...start, table: null, after: [], rows }))
    }
    return { rows, found: start.rows, differences }
  })
}

/** Throws a DatabaseError for a store that a move has not filled to its end. */
export async function refuseHalfMoved(store: Store): Promise<void> {
  const note = await readNote(store)
  if (note === undefined || note.table === null) return
  throw new DatabaseError(
    `cannot use the database: a move into it from ${note.from} has not ended; call readout move again with the same ` +
      '--from and --to, or remove it and begin anew',
  )
}

type Tell = (done: number, act: string) => void

async function begin(from: MovedStore, to: MovedStore): Promise<Note> {
  const [settings, ...tables] = ROW_TABLES as [RowTable, ...RowTable[]]
  const held: string[] = []
  for (const table of tables) if (!(await isEmpty(to.store, table))) held.push(table.name)
  if (held.length > 0) throw refusal(to, `it has rows in ${held.join(', ')}`)
  const note = { from: from.name, table: settings.name, after: [], rows: 0 }
  // What a server noted there when it was started is not true of what comes.
  await to.store.write(async (target) => {
    await target.rows.clear(settings)
    await writeNote(target, note)
  })
  return note
}

/** Returns how many rows are in the target now. */
async function copy(source: Tables, to: Store, start: Note, batch_rows: number, tell: Tell): Promise<number> {
  let rows = start.rows
  const first = ROW_TABLES.findIndex(({ name }) => name === start.table)
  for (const table of ROW_TABLES.slice(first)) {
    const columns = await source.rows.listColumns(table)
    const after = table.name === start.table ? start.after : []
    for await (const page of source.rows.pages(table, columns, after, batch_rows)) {
      rows += page.length
      const note = { from: start.from, table: table.name, after: keyOf(table, columns, page.at(-1) as TableRow), rows }
      await to.write(async (target) => {
        await target.rows.add(table, columns, page)
        await writeNote(target, note)
      })
      tell(rows, `moving ${table.name}`)
    }
  }
  await to.write((target) => target.rows.settle())
  return rows
}

/** The first difference of each table. */
async function compare(
  source: Tables,
  target: Tables,
  names: readonly [string, string],
  batch_rows: number,
  tell: Tell,
): Promise<string[]> {
  const differences: string[] = []
  let done = 0
  for (const table of ROW_TABLES) {
    const columns = await source.rows.listColumns(table)
    await using ours = source.rows.pages(table, columns, [], batch_rows)
    await using theirs = target.rows.pages(table, columns, [], batch_rows)
    for (;;) {
      const [a, b] = [(await ours.next()).value ?? [], (await theirs.next()).value ?? []]
      const place = Array.from({ length: Math.max(a.length, b.length) }).findIndex((_, i) => !isSameRow(a[i], b[i]))
      if (place >= 0) differences.push(describe(table, columns, names, [a[place], b[place]]))
      if (place >= 0 || a.length === 0) break
      done += a.length
      tell(done, `comparing ${table.name}`)
    }
  }
  return differences
}

function isSameRow(a: TableRow | undefined, b: TableRow | undefined): boolean {
  return a !== undefined && b !== undefined && a.every((value, i) => isSame(value, b[i]))
}

/** PostgreSQL's texts hold every character but one, and have another in its place. */
function isSame(a: RowValue, b: RowValue | undefined): boolean {
  if (a === b) return true
  if (typeof a === 'string' && typeof b === 'string')
    return a.replaceAll('\0', '\ufffd') === b.replaceAll('\0', '\ufffd')
  return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0
}

type Pair<T> = readonly [T, T]

/** Says of two rows that stand at the same place what is not the same. */
function describe(
  table: RowTable,
  columns: readonly string[],
  names: Pair<string>,
  [a, b]: Pair<TableRow | undefined>,
): string {
  const [ours, theirs] = [a, b].map((row) => row && describeKey(table, columns, row))
  if (ours !== theirs) return `${names[0]} has ${ours ?? 'no row'} where ${names[1]} has ${theirs ?? 'no row'}`
  const others = columns.flatMap((column, i) => (isSame(a?.[i] ?? null, b?.[i]) ? [] : [column]))
  return `${ours} has another ${others.join(', ')} in ${names[0]} than in ${names[1]}`
}

function describeKey(table: RowTable, columns: readonly string[], row: TableRow): string {
  const key = keyOf(table, columns, row)
  return `${table.name} (${table.key.map((column, i) => `${column} ${key[i]}`).join(', ')})`
}

async function countRows({ rows }: Tables): Promise<number> {
  let sum = 0
  for (const table of ROW_TABLES) sum += await rows.count(table)
  return sum
}

async function isEmpty({ rows }: Tables, table: RowTable): Promise<boolean> {
  await using pages = rows.pages(table, table.key, [], 1)
  return (await pages.next()).done === true
}

async function readNote({ registry }: Tables): Promise<Note | undefined> {
  const text = await registry.readSetting(MOVE_SETTING)
  return text === undefined ? undefined : (JSON.parse(text) as Note)
}

async function writeNote({ registry }: Tables, note: Note): Promise<void> {
  await registry.writeSetting(MOVE_SETTING, JSON.stringify(note))
}

function refusal({ name }: MovedStore, reason: string): DatabaseError {
  return new DatabaseError(`cannot move to the database ${name}: ${reason}; name one that is new or empty with --to`)
}
