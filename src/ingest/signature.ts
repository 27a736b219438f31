import { createHmac, timingSafeEqual } from 'node:crypto'

const SIGNATURE = /^sha256=([0-9a-f]{64})$/

/**
 * Whether one of the app secrets signed these bytes: `X-Hub-Signature-256` is the HMAC-SHA256 of the body as sent
 * (contract 13.2). Every secret is tried, and compared in constant time.
 */
export function isSigned(body: Uint8Array, signature: string | undefined, app_secrets: readonly string[]): boolean {
  const hex = SIGNATURE.exec(signature ?? '')?.[1]
  if (hex === undefined) return false
  const claimed = Buffer.from(hex, 'hex')
  let isKnown = false
  for (const secret of app_secrets) isKnown = timingSafeEqual(sign(body, secret), claimed) || isKnown
  return isKnown
}

/** The header that goes with these bytes, for those who send webhooks: the sandbox, the tests and the bench. */
export function formatSignature(body: Uint8Array, app_secret: string): string {
  return `sha256=${sign(body, app_secret).toString('hex')}`
}

function sign(body: Uint8Array, app_secret: string): Buffer {
  return createHmac('sha256', app_secret).update(body).digest()
}
