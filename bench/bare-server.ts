import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'

/** An answer that a bare server gives to every request. */
export interface FixedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * The servers beside which Readout is measured: as little as `node:http` needs. Run as `bare-server.ts insights FILE`,
 * which gives the answer in that file, or `bare-server.ts webhooks SECRET`, which checks and parses each body first.
 */
const [kind, value = ''] = process.argv.slice(2)
const server = createServer(kind === 'insights' ? answerInsights(value) : answerWebhooks(value))
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

function answerWebhooks(app_secret: string): RequestListener {
  return (req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.once('end', () => {
      const isRight = isWebhook(req, Buffer.concat(chunks), app_secret)
      res.writeHead(isRight ? 200 : 403, { 'content-type': 'text/plain; charset=utf-8', 'content-length': 9 })
      res.end('committed')
    })
  }
}

function isWebhook(req: IncomingMessage, body: Buffer, app_secret: string): boolean {
  const signature = `sha256=${createHmac('sha256', app_secret).update(body).digest('hex')}`
  return JSON.parse(body.toString('utf8')) !== null && signature === req.headers['x-hub-signature-256']
}
