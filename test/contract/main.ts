import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Cluster } from './cluster.ts'
import { Schemas } from './schemas.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Two cores have room for so many: much of a test is waiting. */
const FILES_AT_ONCE = 2

/** Whatever asks one of these for a database says nothing of its engine. */
const OPENERS = /from '[./]+(?:test\/)?(?:database|open|tenants)\.ts'/

/** What opens a SQLite file all the same, because it is about one, or stops a PostgreSQL server of its own. */
const ABOUT_ONE = ['src/store/sqlite/*', 'test/{away,backup,bad-disk,damage,sync-order}.test.ts']

/** The tests that hold on every engine, under these folders or of these files. */
function listContract(paths: readonly string[]): string[] {
  const all = globSync('{src,test}/**/*.test.ts', { cwd: ROOT, exclude: ABOUT_ONE })
  const files = all.filter((file) => paths.length === 0 || paths.some((path) => file.startsWith(path)))
  const contract = files.filter((file) => OPENERS.test(readFileSync(join(ROOT, file), 'utf8')))
  if (contract.length > 0) return contract.sort()
  throw new Error(`cannot test ${paths.join(' ')}: no test there asks test/database.ts for a database`)
}

/** Runs files of tests on a server, and returns the exit code. */
async function run(url: string, schema: string, files: readonly string[]): Promise<number> {
  const env = { ...process.env, READOUT_TEST_URL: url, READOUT_TEST_SCHEMA: schema }
  const tests = spawn(process.execPath, ['--test', `--test-concurrency=${FILES_AT_ONCE}`, ...files], {
    cwd: ROOT,
    env,
    stdio: 'inherit',
  })
  // An interrupt of the terminal reaches the tests, too; what they leave is swept when they have ended.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => tests.kill())
  const [code] = (await once(tests, 'exit')) as [number | null]
  return code ?? 1
}

const { values, positionals } = parseArgs({ options: { url: { type: 'string' } }, allowPositionals: true })
const files = listContract(positionals)
await using own = values.url === undefined ? await Cluster.start(randomBytes(16).toString('hex')) : undefined
const url = values.url ?? own?.url ?? ''
const schema = `readout_test_${randomBytes(4).toString('hex')}`
await using schemas = new Schemas(url, schema)
process.exitCode = await run(url, schema, files)
await schemas.sweep()
