import { createHmac } from 'node:crypto'
import { fdatasync, openSync, readFileSync, writev } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'

/** An answer that a bare server gives to every request. */
export interface FixedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * The servers beside which Readout is measured: as little as `node:http` needs. Run as `bare-server.ts insights FILE`,
 * which gives the answer in that file; as `bare-server.ts webhooks SECRET`, which checks and parses each body first; or with
 * a FILE after the secret, to which it also appends them, and syncs it before it answers.
 */
const [kind, value = '', file] = process.argv.slice(2)
const server = createServer(kind === 'insights' ? answerInsights(value) : answerWebhooks(value, keeperOf(file)))
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}\n`)
})

function answerInsights(file: string): RequestListener {
  const { status, headers, body } = JSON.parse(readFileSync(file, 'utf8')) as FixedAnswer
  return (_req, res) => {
    res.writeHead(status, headers)
    res.end(body)
  }
}

/** Calls back when a body is kept. */
type Keep = (body: Buffer, onKept: () => void) => void

/** Bodies that come during a sync are written and synced together after it. */
function keeperOf(file: string | undefined): Keep {
  if (file === undefined) return (_body, onKept) => onKept()
  const fd = openSync(file, 'w')
  let waiting: { readonly body: Buffer; readonly onKept: () => void }[] = []
  let isSyncing = false
  const sync = () => {
    isSyncing = waiting.length > 0
    if (!isSyncing) return
    const group = waiting
    waiting = []
    const bodies = group.map(({ body }) => body)
    const synced = orFail(() => {
      for (const { onKept } of group) onKept()
      sync()
    })
    writev(
      fd,
      bodies,
      orFail(() => fdatasync(fd, synced)),
    )
  }
  return (body, onKept) => {
    waiting.push({ body, onKept })
    if (!isSyncing) sync()
  }
}

function orFail(act: () => void): (error: Error | null) => void {
  return (error) => {
    if (error !== null) throw error
    act()
  }
}

function answerWebhooks(app_secret: string, keep: Keep): RequestListener {
  return (req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.once('end', () => {
      const body = Buffer.concat(chunks)
      const isRight = isWebhook(req, body, app_secret)
      keep(body, () => {
        res.writeHead(isRight ? 200 : 403, { 'content-type': 'text/plain; charset=utf-8', 'content-length': 9 })
        res.end('committed')
      })
    })
  }
}

function isWebhook(req: IncomingMessage, body: Buffer, app_secret: string): boolean {
  const signature = `sha256=${createHmac('sha256', app_secret).update(body).digest('hex')}`
  return JSON.parse(body.toString('utf8')) !== null && signature === req.headers['x-hub-signature-256']
}
