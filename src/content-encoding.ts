import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

/** Below it, an answer fits in one packet with its headers, and compressing it saves nothing. */
export const COMPRESSED_LENGTH_MIN = 1024

/** The default, 11, is for files that are compressed once. */
const BROTLI_QUALITY = 4

const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }

const compressBrotli = promisify(brotliCompress)
const compressGzip = promisify(gzip)

/** Compresses a body. */
export const COMPRESS: Readonly<Record<'br' | 'gzip', (body: string) => Promise<Buffer>>> = {
  br: (body) => compressBrotli(body, brotli),
  gzip: (body) => compressGzip(body),
}

/** The encoding that the caller likes best of those that we have, brotli before gzip; none when it asks for neither. */
export function acceptedEncoding(header: string | string[] | undefined): 'br' | 'gzip' | undefined {
  const liked = new Map(
    String(header ?? '')
      .split(',')
      .map(parseCoding),
  )
  const [br, gz] = [liked.get('br') ?? liked.get('*') ?? 0, liked.get('gzip') ?? liked.get('*') ?? 0]
  if (br > 0 && br >= gz) return 'br'
  return gz > 0 ? 'gzip' : undefined
}

function parseCoding(text: string): [coding: string, quality: number] {
  const [coding = '', quality] = text.split(';q=')
  return [coding.trim().toLowerCase(), quality === undefined ? 1 : Number(quality) || 0]
}
