import { type Logger, pino } from 'pino'

/** The server's log, one JSON object a line on stderr. What looks like a secret is left out of it. */
export function openLog(level: string): Logger {
  return pino({ level, formatters: { log: maskEntry } }, pino.destination({ dest: 2, sync: true }))
}

/** What stays as it is: the name of an answer, which is as random as a secret, and where a database is, without its password. */
const PLAIN: ReadonlySet<string> = new Set(['fbtrace_id', 'database'])

function maskEntry(entry: Record<string, unknown>): Record<string, unknown> {
  const masked = (name: string, value: unknown) =>
    typeof value === 'string' && !PLAIN.has(name) ? maskSecrets(value) : value
  return Object.fromEntries(Object.entries(entry).map(([name, value]) => [name, masked(name, value)]))
}

/** Letters and digits in one long word: a token, a secret or a hash, and neither a word nor an id. */
const SECRET = /(?=[\w+=%-]*\d)(?=[\w+=%-]*[A-Za-z])[\w+=%-]{16,}/g

/** Words that look so, and are none: an ad account, and the header that a signature comes in. */
const HARMLESS = /^(?:act_\d+|X-Hub-Signature-256)$/

/**
 * A text without what looks like a secret: an error may quote a token that its caller put in the wrong place. Where in our
 * code something failed stays.
 */
export function maskSecrets(text: string): string {
  const mask = (word: string) => (HARMLESS.test(word) ? word : `${word.slice(0, 2)}…`)
  return text
    .split('\n')
    .map((line) => (/^ {4}at /.test(line) ? line : line.replace(SECRET, mask)))
    .join('\n')
}
