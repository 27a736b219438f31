import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '..')

/** What may stand in the root folder. */
const ROOT_ENTRIES = [
  '.ci',
  '.gitignore',
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'SECURITY.md',
  'bench',
  'biome.json',
  'docs',
  'package-lock.json',
  'package.json',
  'src',
  'test',
  'tsconfig.json',
]

/** The rooms, and those that each may import from: arrows point down, and neighbours do not know each other. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  store: ['domain'],
  ingest: ['domain', 'store'],
  graph: ['domain', 'store'],
  sandbox: ['domain'],
  cli: ['domain', 'store', 'ingest', 'graph', 'sandbox', '.'],
  // `server.ts` and the listener and the operations door that it wires.
  '.': ['domain', 'store', 'ingest', 'graph'],
}

/** What is not to be written, where it may be all the same, and what to write instead. */
const BANNED: readonly { readonly pattern: RegExp; readonly allowed?: RegExp; readonly instead: string }[] = [
  { pattern: /\bMath\.random\(/, instead: 'a seeded Random that is handed in' },
  { pattern: /\bDate\.now\(|new Date\(\)|Temporal\.Now/, allowed: /^src\/cli\//, instead: 'a clock that is handed in' },
  {
    pattern: /\brandomBytes\(|\brandomUUID\(/,
    allowed: /^src\/(?:cli\/|server\.ts)/,
    instead: 'what is random, handed in',
  },
  { pattern: /\bprocess\.env\b/, allowed: /^src\/cli\//, instead: 'a setting that is handed in' },
  { pattern: /\bconsole\./, instead: 'printRows and say in cli/, the logger in server.ts' },
  { pattern: /@ts-ignore|@ts-expect-error|biome-ignore/, instead: 'a type that is true' },
  { pattern: /export \* from/, instead: 'the import of the file itself' },
]

const MARKS = /\b(?:TODO|FIXME|XXX)\b/

/** Lines of the longest function; lower it when you can, and never raise it. */
const FUNCTION_LINES_MAX = 34

/** Lines of the longest file of src/. */
const FILE_LINES_MAX = 400

interface SourceFile {
  readonly path: string
  readonly lines: readonly string[]
}

const files: SourceFile[] = globSync('{src,test,bench}/**/*.ts', { cwd: ROOT }).map((path) => ({
  path,
  lines: readFileSync(join(ROOT, path), 'utf8').split('\n'),
}))

const sources = files.filter(({ path }) => path.startsWith('src/'))

function isTest({ path }: SourceFile): boolean {
  return path.endsWith('.test.ts')
}

function roomOf(path: string): string {
  const [, room = '', ...rest] = path.split('/')
  return rest.length === 0 ? '.' : room
}

test('rooms import only from rooms below them', () => {
  const wrong: string[] = []
  for (const file of sources) {
    const room = roomOf(file.path)
    assert.ok(ROOMS[room] !== undefined, `${file.path} is in no room: name it in ROOMS, and what it may import from`)
    for (const line of file.lines) {
      const imported = /(?:from|import) '(\.[^']+)'/.exec(line)?.[1]
      if (imported === undefined) continue
      const target = relative(ROOT, join(ROOT, dirname(file.path), imported))
      const isModel = isTest(file) && target.startsWith('test/')
      if (isModel || roomOf(target) === room || ROOMS[room]?.includes(roomOf(target))) continue
      wrong.push(`${file.path} imports ${target}: ${room} may import from ${ROOMS[room]?.join(', ') || 'nothing'}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('banned calls stand nowhere but where they are allowed', () => {
  const wrong: string[] = []
  for (const file of sources.filter((one) => !isTest(one))) {
    for (const [i, line] of file.lines.entries()) {
      for (const { pattern, allowed, instead } of BANNED) {
        if (pattern.test(line) && !allowed?.test(file.path))
          wrong.push(`${file.path}:${i + 1}: write ${instead}: ${line}`)
      }
    }
  }
  assert.deepEqual(wrong, [])
})

test('no file holds a leftover mark', () => {
  const others = files.filter(({ path }) => path !== 'test/tidy.test.ts')
  const wrong = others.flatMap(({ path, lines }) =>
    lines.flatMap((line, i) => (MARKS.test(line) ? [`${path}:${i + 1}`] : [])),
  )
  assert.deepEqual(wrong, [])
})

test('functions and files stay short', () => {
  const functions = sources.filter((file) => !isTest(file)).flatMap(listFunctions)
  const long = functions.filter(({ lines }) => lines > FUNCTION_LINES_MAX)
  assert.deepEqual(long, [], 'split them: ifs up, fors down')
  const longest = Math.max(...functions.map(({ lines }) => lines))
  assert.equal(longest, FUNCTION_LINES_MAX, 'the longest function got shorter: lower FUNCTION_LINES_MAX to it')
  const longFiles = sources.filter(({ lines }) => lines.length > FILE_LINES_MAX).map(({ path }) => path)
  assert.deepEqual(longFiles, [], 'a file has one noun')
})

test('the root folder holds only what is listed', () => {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT })
  const entries = new Set(
    listed
      .toString()
      .trim()
      .split('\n')
      .map((path) => path.split('/')[0] ?? ''),
  )
  assert.deepEqual(
    [...entries].filter((entry) => !ROOT_ENTRIES.includes(entry)),
    [],
  )
})

const FUNCTION_START =
  /^( *)(?:export )?(?:default )?(?:(?:async )?function\*? ?\w*|(?:override |static |async |get |set |\*)*[#\w[\].]+)\(.*\{$/

/** Functions and methods, told by how the formatter writes them: a head, and a closing brace at the same indent. */
function listFunctions({ path, lines }: SourceFile): { path: string; name: string; lines: number }[] {
  return lines.flatMap((line, start) => {
    const indent = headIndent(lines, start)
    if (indent === undefined) return []
    const end = lines.findIndex((one, i) => i > start && one.startsWith(`${indent}}`) && !one.startsWith(`${indent}} `))
    return end < 0 ? [] : [{ path, name: line.trim(), lines: end - start + 1 }]
  })
}

/** The indent of a function head that starts on this line, on one line or on several. */
function headIndent(lines: readonly string[], start: number): string | undefined {
  const line = lines[start] ?? ''
  if (/^ *(?:if|for|while|switch|catch|return|test)\b/.test(line)) return undefined
  const single = FUNCTION_START.exec(line)?.[1]
  if (single !== undefined || !/\($/.test(line)) return single
  const indent = /^ */.exec(line)?.[0] ?? ''
  const close = lines.slice(start + 1).find((one) => one.startsWith(`${indent})`))
  return close?.endsWith('{') && /function|^\s*(?:async )?[#\w]+\($/.test(line) ? indent : undefined
}
