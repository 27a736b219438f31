/** Thrown where the world is not as it must be. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/** Lines that are shown of each side; one that differs tells where to look. */
const LINES_MAX = 8

/** Throws a Violation that shows where two sorted lists of lines differ. */
export function checkSame(what: string, actual: readonly string[], expected: readonly string[]): void {
  const [have, should] = [new Set(actual), new Set(expected)]
  const surplus = actual.filter((line) => !should.has(line)).map((line) => `  is      ${line}`)
  const missing = expected.filter((line) => !have.has(line)).map((line) => `  should  ${line}`)
  if (surplus.length + missing.length === 0 && actual.length === expected.length) return
  const shown = [...surplus.slice(0, LINES_MAX), ...missing.slice(0, LINES_MAX)]
  throw new Violation([`${what}: ${surplus.length} lines too many, ${missing.length} missing`, ...shown].join('\n'))
}
