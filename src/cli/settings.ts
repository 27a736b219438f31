import { type Command, InvalidArgumentError, Option } from 'commander'
import { isPostgres } from '../store/open.ts'
import { parseHashKey } from './hash-key.ts'
import { misused } from './values.ts'

/** A setting of Readout: a flag of the commands that read it, and a variable of the environment. */
export interface Setting {
  /** The flag, without its dashes. */
  readonly flag: string
  /** What stands for its value in the help; none for a switch. */
  readonly value?: string
  readonly default?: string | number
  readonly help: string
  /** Turns the text into the value, or throws an InvalidArgumentError. */
  readonly parse?: (text: string, before: unknown) => unknown
}

/** Settings of every command that opens the database. */
export const DATABASE_SETTINGS: readonly Setting[] = [
  {
    flag: 'database',
    value: 'FILE or URL',
    default: './data/readout.db',
    help: 'the SQLite file, which serve, account add and import make where it is missing; or a PostgreSQL database, as postgres://user@host/name',
    parse: databaseParser('--database, or READOUT_DATABASE,'),
  },
  {
    flag: 'hash-key',
    value: 'HEX',
    help: 'the key that personal ids are hashed with, 64 hex digits; else the file FILE.key beside the database; PostgreSQL needs it set',
    parse: parseGivenKey,
  },
]

/** Settings of `readout serve`. */
export const SERVER_SETTINGS: readonly Setting[] = [
  ...DATABASE_SETTINGS,
  { flag: 'demo', help: 'load the demo account on first start, and run its sandbox; only on a loopback host' },
  { flag: 'host', value: 'HOST', default: '127.0.0.1', help: 'the address to listen on', parse: parseText },
  { flag: 'port', value: 'PORT', default: 8080, help: 'the port to listen on; 0 for any free one', parse: parsePort },
  {
    flag: 'public-url',
    value: 'URL',
    help: 'where callers reach the server from outside; paging links start with it',
    parse: parseUrl,
  },
  {
    flag: 'app-secret',
    value: 'SECRET',
    help: "the app's secret, which signs webhooks; give it again for another, or separate them by commas",
    parse: collectSecrets,
  },
  {
    flag: 'verify-token',
    value: 'TOKEN',
    help: "the token that Meta's webhook handshake must show",
    parse: parseText,
  },
  {
    flag: 'require-appsecret-proof',
    help: 'refuse Graph calls without appsecret_proof; one that is there is checked in any case; needs --app-secret',
  },
  {
    flag: 'request-limit',
    value: 'N',
    help: 'Graph calls of an access token in an hour; past it it gets code 17; no limit when left out',
    parse: parseCount,
  },
  {
    flag: 'cors-origin',
    value: 'ORIGIN',
    help: 'an origin whose pages may read the API, as https://app.example.com; again, or by commas, for more; none when left out',
    parse: collectOrigins,
  },
  {
    flag: 'metrics-token',
    value: 'TOKEN',
    help: 'what /metrics must be shown as Authorization: Bearer TOKEN; without it, only this machine is shown them, and nobody once there is a public URL',
    parse: parseMetricsToken,
  },
  {
    flag: 'meta-history-limit',
    help: "answer a range that starts before 37 months ago with Meta's error, though the days are there",
  },
  {
    flag: 'log-level',
    value: 'LEVEL',
    default: 'info',
    help: 'the least severe entries that are logged: debug, info, warn, error or silent',
    parse: parseLogLevel,
  },
]

/** The variable of the environment that stands for a flag. */
export function environmentName({ flag }: Pick<Setting, 'flag'>): string {
  return `READOUT_${flag.toUpperCase().replaceAll('-', '_')}`
}

/** Adds settings to a command; a flag beats the environment, and the environment the default. */
export function addSettings(command: Command, settings: readonly Setting[]): Command {
  for (const setting of settings) {
    const { flag, value, help } = setting
    const option = new Option(value === undefined ? `--${flag}` : `--${flag} <${value}>`, help)
    if (value !== undefined || !isSwitchedOff(environmentName(setting))) option.env(environmentName(setting))
    if (setting.default !== undefined) option.default(setting.default)
    if (setting.parse !== undefined) option.argParser(setting.parse)
    command.addOption(option)
  }
  return command
}

/** A switch is on when its variable is there at all, unless that says no. */
function isSwitchedOff(name: string): boolean {
  const text = process.env[name]?.toLowerCase()
  return text !== undefined && ['', '0', 'false', 'no', 'off'].includes(text)
}

/** Parses what names a database; `option` is how it is called where it is wrong. */
export function databaseParser(option: string): (text: string) => string {
  return (text) => {
    if (isPostgres(text) && URL.canParse(text)) return text
    // An InvalidArgumentError would print the value, which may hold a password.
    if (isPostgres(text)) throw misused(`${option} must be a URL as postgres://user@host/name`)
    if (!/^(?:\w+:\/\/|file:|:memory:$|$)/.test(text)) return text
    throw new InvalidArgumentError('It must be the path of a file, or a URL that begins with postgres://.')
  }
}

function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new InvalidArgumentError('It must be a port, 0 to 65535.')
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number, 1 or more.')
}

/** An empty verify token would let everybody in, and an empty host is every address. */
function parseText(text: string): string {
  if (text.trim() !== '') return text
  throw new InvalidArgumentError('It is empty: give a value, or leave it out.')
}

function parseUrl(text: string): string {
  const url = URL.parse(text)
  const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:'
  if (isWeb && !/[?#]/.test(text)) return text.replace(/\/+$/, '')
  throw new InvalidArgumentError('It must be a URL such as https://readout.example.com, without ? and #.')
}

function parseGivenKey(text: string): Uint8Array {
  const key = parseHashKey(text)
  if (key !== undefined) return key
  // An InvalidArgumentError would print the value, which may be the key with one digit too many.
  throw misused('--hash-key, or READOUT_HASH_KEY, must be 64 hex digits; make one with: openssl rand -hex 32')
}

function collect(text: string, before: unknown): string[] {
  const values = text.split(',').map((value) => value.trim())
  return [...(Array.isArray(before) ? (before as string[]) : []), ...values.filter((value) => value !== '')]
}

/** Without any, what is to be checked under them would not be checked. */
function collectSecrets(text: string, before: unknown): string[] {
  const secrets = collect(text, before)
  if (secrets.length > 0) return secrets
  throw misused('--app-secret, or READOUT_APP_SECRET, is empty: give the secret of the app, or leave it out')
}

function collectOrigins(text: string, before: unknown): string[] {
  // Browsers send the names of hosts in small letters.
  const origins = collect(text, before).map((origin) => origin.toLowerCase())
  if (origins.every((origin) => URL.parse(origin)?.origin === origin)) return origins
  throw new InvalidArgumentError('It must be an origin, without a path: https://app.example.com.')
}

const METRICS_TOKEN_LENGTH_MIN = 16

function parseMetricsToken(text: string): string {
  if (text.length >= METRICS_TOKEN_LENGTH_MIN && /^[!-~]+$/.test(text)) return text
  const form = `must have ${METRICS_TOKEN_LENGTH_MIN} characters or more, and no spaces`
  throw misused(`--metrics-token, or READOUT_METRICS_TOKEN, ${form}; make one with: openssl rand -hex 32`)
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent']

function parseLogLevel(text: string): string {
  if (LOG_LEVELS.includes(text)) return text
  throw new InvalidArgumentError(`It must be one of ${LOG_LEVELS.join(', ')}.`)
}
