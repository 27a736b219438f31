import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Stands before the database, and keeps to itself what that answers to a COMMIT, once. */
export class Middleman implements AsyncDisposable {
  readonly url: string
  readonly #server: Server
  isSwallowing = false
  swallowed = 0

  private constructor(url: string, server: Server) {
    this.url = url
    this.#server = server
  }

  static async open(target: string): Promise<Middleman> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = new URL(target)
    const port = Number(url.port)
    url.port = String((server.address() as AddressInfo).port)
    const proxy = new Middleman(url.href, server)
    server.on('connection', (client) => proxy.#join(client, connect(port, '127.0.0.1')))
    return proxy
  }

  #join(client: Socket, database: Socket): void {
    let hasWritten = false
    let isLast = false
    client.on('data', (bytes) => {
      hasWritten ||= bytes.includes('INSERT INTO message')
      isLast ||= this.isSwallowing && hasWritten && bytes.includes('COMMIT\0')
      database.write(bytes)
    })
    database.on('data', (bytes) => {
      if (isLast && bytes.includes('COMMIT\0')) {
        this.isSwallowing = false
        this.swallowed++
        client.destroy()
      } else client.write(bytes)
    })
    client.on('close', () => database.destroy()).on('error', () => {})
    database.on('close', () => client.destroy()).on('error', () => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
  }
}
