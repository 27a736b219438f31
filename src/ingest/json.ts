/** An id, or a token, as a number that JSON.parse would round. */
const LONG_ID = /((?:id|token)"\s*:\s*)(\d{16,})(?=\s*[,}\]])/g

/** Parses JSON, in which ids are texts where they have more digits than a number holds. Throws a SyntaxError. */
export function parseJson(text: string): unknown {
  return JSON.parse(text.search(LONG_ID) < 0 ? text : text.replace(LONG_ID, '$1"$2"'))
}
