/**
 * A value as a client wrote it: text, a list or an object. Numbers and booleans stay text, so that no digit of an id
 * is lost, and `null` is the empty text.
 */
export type Value = string | Value[] | Map<string, Value>

/** The longest text that is read as a list or an object. */
export const VALUE_LENGTH_MAX = 1_048_576

/** Elements of lists and objects in one text, those of lists within lists included. */
export const VALUE_ELEMENTS_MAX = 50_000

/** How deep lists and objects may lie in each other. */
export const VALUE_DEPTH_MAX = 8

/**
 * Parses a list or an object in any of the forms of contract 3.9: JSON, Python's and JavaScript's single quotes, bare
 * keys and values, spaces and newlines between them; a scalar is read as its text. `undefined` when the text is
 * malformed, too long, too deep or has too many elements.
 */
export function parseValue(text: string): Value | undefined {
  return text.length > VALUE_LENGTH_MAX ? undefined : new Reader(text).read()
}

/**
 * Parses a list of names: comma text, any list that `parseValue` reads, or either inside quotes (contract 3.9).
 * `undefined` when the value is no such list, or a longer one than `parseValue` reads.
 */
export function parseNames(value: Value): string[] | undefined {
  const list = typeof value === 'string' ? parseList(parseText(value)) : elementsOf(value)
  if (list === undefined || !list.every((element) => typeof element === 'string')) return undefined
  const names = list.flatMap(splitNames)
  return names.length > VALUE_ELEMENTS_MAX ? undefined : names
}

/** Parses a list of texts: comma text, or a list whose texts stay as they are, commas and all. `undefined` as of `parseNames`. */
export function parseTexts(value: Value): string[] | undefined {
  if (typeof value === 'string' && !LIST.test(parseText(value))) return parseNames(value)
  const list = typeof value === 'string' ? parseList(parseText(value)) : elementsOf(value)
  return list === undefined || !list.every((element) => typeof element === 'string') ? undefined : list
}

const LIST_OF_QUOTED = /^\[\s*["']/

/** Parses one text, which may begin as lists do; or the only element of a list. `undefined` of a list with more, or none. */
export function parseOneText(value: Value): string | undefined {
  if (typeof value === 'string' && !LIST_OF_QUOTED.test(parseText(value))) return parseText(value)
  const list = parseTexts(value)
  if (list === undefined && typeof value === 'string') return parseText(value)
  return list?.length === 1 ? list[0] : undefined
}

/** Parses an object: any that `parseValue` reads, or `time_range[since]=…`. `undefined` when it is no object. */
export function parseObject(value: Value): Map<string, Value> | undefined {
  const object = typeof value === 'string' ? parseValue(value) : value
  return object instanceof Map ? object : undefined
}

/**
 * The text of a scalar, without the spaces and the literal quotes that Meta's samples put around it. A quote within is no end: of
 * `"Buy one" or "get one"` nothing is taken away.
 */
export function parseText(value: string): string {
  const text = value.trim()
  const [quote = ''] = text
  if ((quote !== '"' && quote !== "'") || text.length < 2 || !text.endsWith(quote)) return text
  const within = text.slice(1, -1)
  let [start, end] = [0, within.length]
  while (within[start] === quote) start++
  while (end > start && within[end - 1] === quote) end--
  const second = within.indexOf(quote, start)
  return second >= 0 && second < end ? text : within.trim()
}

const EMPTY = /^(?:\[\s*\]|\{\s*\}|null|None)?$/

/** Whether a client wrote nothing: an empty text, list or object and `null` all stand for an absent parameter. */
export function isEmpty(value: Value | undefined): boolean {
  if (value === undefined) return true
  if (typeof value === 'string') return EMPTY.test(parseText(value))
  return value instanceof Map ? value.size === 0 : value.length === 0
}

/** Formats a value so that `parseNames` and `parseObject` read it back: text as it is, the rest as JSON. */
export function formatValue(value: Value): string {
  return typeof value === 'string' ? value : formatJson(value)
}

/** An object's keys keep their order, which `Object.fromEntries` would sort where they are numbers. */
function formatJson(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(formatJson).join(',')}]`
  return `{${[...value].map(([key, one]) => `${JSON.stringify(key)}:${formatJson(one)}`).join(',')}}`
}

const LIST = /^[[{]/

/** A list, or an object whose values are the list's: so PHP writes `fields[]=a&fields[]=b`. */
function parseList(text: string): Value[] | undefined {
  if (!LIST.test(text)) return [text]
  const list = parseValue(text)
  return typeof list === 'string' || list === undefined ? undefined : elementsOf(list)
}

function elementsOf(value: Value[] | Map<string, Value>): Value[] {
  return value instanceof Map ? [...value.values()] : value
}

function splitNames(text: string): string[] {
  return text
    .split(',')
    .map(parseText)
    .map((name) => name.replace(/^["']|["']$/g, ''))
    .filter((name) => name !== '')
}

const SPACE = /\s*/y
const BARE = /[^"',\]}\s][^,\]}]*/y
const BARE_KEY = /[^:,\]}\s]+/y
const DOUBLE_QUOTED = /"([^"\\]*(?:\\.[^"\\]*)*)"/sy
const SINGLE_QUOTED = /'([^'\\]*(?:\\.[^'\\]*)*)'/sy
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|(.))/gs
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }

/** Reads one value from left to right, each character once. `undefined` means malformed, at every level. */
class Reader {
  readonly #text: string
  #at = 0
  #elements = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): Value | undefined {
    const value = this.#value(0)
    this.#match(SPACE)
    return this.#at === this.#text.length ? value : undefined
  }

  #value(depth: number): Value | undefined {
    if (this.#take('[')) return depth < VALUE_DEPTH_MAX ? this.#list(depth) : undefined
    if (this.#take('{')) return depth < VALUE_DEPTH_MAX ? this.#object(depth) : undefined
    return this.#quoted() ?? this.#bare()
  }

  #list(depth: number): Value[] | undefined {
    const list: Value[] = []
    while (!this.#take(']')) {
      const element = this.#value(depth + 1)
      if (element === undefined || !this.#ends(']')) return undefined
      list.push(element)
    }
    return list
  }

  #object(depth: number): Map<string, Value> | undefined {
    const object = new Map<string, Value>()
    while (!this.#take('}')) {
      const key = this.#quoted() ?? this.#match(BARE_KEY)?.[0]
      if (key === undefined || !this.#take(':')) return undefined
      const value = this.#value(depth + 1)
      if (value === undefined || !this.#ends('}')) return undefined
      object.set(key, value)
    }
    return object
  }

  #quoted(): string | undefined {
    this.#match(SPACE)
    const text = (this.#match(DOUBLE_QUOTED) ?? this.#match(SINGLE_QUOTED))?.[1]
    return text?.includes('\\') ? text.replace(ESCAPE, unescaped) : text
  }

  #bare(): string | undefined {
    const text = this.#match(BARE)?.[0].trim()
    return text === 'null' || text === 'None' ? '' : text || undefined
  }

  /** After an element that is not one too many: past the comma to the next one, or before the mark that closes its list. */
  #ends(close: string): boolean {
    return ++this.#elements <= VALUE_ELEMENTS_MAX && (this.#take(',') || this.#text[this.#at] === close)
  }

  #take(mark: string): boolean {
    this.#match(SPACE)
    if (this.#text[this.#at] !== mark) return false
    this.#at++
    return true
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match !== null) this.#at = pattern.lastIndex
    return match
  }
}

function unescaped(_escape: string, unit: string | undefined, mark: string): string {
  return unit === undefined ? (ESCAPED[mark] ?? mark) : String.fromCharCode(Number.parseInt(unit, 16))
}
