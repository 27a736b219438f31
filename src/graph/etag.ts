import { hash } from 'node:crypto'

/** The `ETag` of an answer: the SHA-1 of its bytes in quotes, as Meta's look (contract 8). */
export function formatETag(body: string): string {
  return `"${hash('sha1', body)}"`
}

/** Whether `If-None-Match` says that the caller has this answer already. */
export function isKnown(etag: string, if_none_match: string | undefined): boolean {
  if (if_none_match === undefined) return false
  const known = if_none_match.split(',').map((one) => one.trim().replace(/^W\//, ''))
  return known.includes(etag) || known.includes('*')
}
