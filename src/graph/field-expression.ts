import { parseText, parseValue, type Value } from './encoding.ts'
import { GraphError, INVALID_PARAMETER, PATH_UNKNOWN } from './error.ts'

/** Names in one `fields`, those in braces included. */
export const FIELDS_MAX = 500

/** How deep braces may lie in each other. */
export const FIELDS_DEPTH_MAX = 6

/** One name of `fields`, with what is asked of it: `name.modifier(value){fields}`. */
export interface Field {
  readonly name: string
  /** The key under which it is answered: what `.as(key)` says, else its name. */
  readonly key: string
  /** By name, as written: `date_preset` of `.date_preset(last_7d)`. `as` is none of them. */
  readonly modifiers: ReadonlyMap<string, string>
  /** What stands in its braces, if it has any. */
  readonly fields: readonly Field[] | undefined
  /** The same as text, for links and for what reads its own fields. */
  readonly text: string
}

/**
 * Parses `a,b{c,d.limit(5){e}}.modifier(x)` (contract 9.6), or a list of such texts in any form of contract 3.9.
 * Modifiers stand before or behind the braces. Throws code 2500 in Meta's words for a text that is no expression, and
 * code 100 for two fields that would be answered under one key.
 */
export function parseFieldExpression(value: Value): readonly Field[] {
  return new Reader(textOf(value)).read()
}

function textOf(value: Value): string {
  const text = typeof value === 'string' ? parseText(value) : value
  const list = typeof text === 'string' && /^[[{]/.test(text) ? parseValue(text) : text
  if (list === undefined) return String(text)
  if (typeof list === 'string') return list
  const names = list instanceof Map ? [...list.values()] : list
  if (names.every((name) => typeof name === 'string')) return names.join(',')
  throw new GraphError(INVALID_PARAMETER, 'fields must be a list of names, as a,b or ["a","b"]')
}

const SPACE = /\s*/y
const NAME = /\w+/y
const QUOTED = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/sy
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/** Reads an expression from left to right, each character once. */
class Reader {
  readonly #text: string
  #at = 0
  #names = 0
  /** The quotes that do not close any more: what stands behind one is looked through once. */
  readonly #unclosed = new Set<string>()

  constructor(text: string) {
    this.#text = text
  }

  read(): readonly Field[] {
    const fields = this.#fields(0)
    if (this.#at < this.#text.length) throw this.#expected('end of string')
    return fields
  }

  #fields(depth: number): Field[] {
    if (depth > FIELDS_DEPTH_MAX) throw tooMany(`lie deeper than ${FIELDS_DEPTH_MAX} braces`)
    const fields: Field[] = []
    do {
      const name = this.#match(NAME)
      if (name !== undefined) fields.push(this.#field(name, depth))
    } while (this.#take(','))
    checkKeys(fields)
    return fields
  }

  #field(name: string, depth: number): Field {
    this.#names++
    if (this.#names > FIELDS_MAX) throw tooMany(`are more than ${FIELDS_MAX} names`)
    const modifiers = this.#modifiers()
    if (!this.#take('{')) return { ...keyed(name, modifiers), fields: undefined, text: '' }
    const start = this.#at
    const fields = this.#fields(depth + 1)
    const text = this.#text.slice(start, this.#at)
    if (!this.#take('}')) throw this.#expected('"}"')
    return { ...keyed(name, [...modifiers, ...this.#modifiers()]), fields, text }
  }

  #modifiers(): [name: string, value: string][] {
    const modifiers: [string, string][] = []
    const start = this.#at
    while (this.#take('.')) {
      const name = this.#match(NAME)
      // A dot without a call, as in an action type, is where Meta stops reading.
      if (name === undefined || !this.#take('(')) {
        this.#at = start
        return modifiers
      }
      modifiers.push([name, this.#argument()])
    }
    return modifiers
  }

  /** Everything up to the parenthesis that closes the one just taken. */
  #argument(): string {
    const start = this.#at
    const open = [')']
    while (open.length > 0 && this.#at < this.#text.length) {
      if (this.#skipQuoted()) continue
      const mark = this.#text[this.#at++] ?? ''
      if (mark === open.at(-1)) open.pop()
      else if (CLOSING[mark] !== undefined) open.push(CLOSING[mark])
    }
    if (open.length > 0) throw this.#expected('")"')
    return this.#text.slice(start, this.#at - 1)
  }

  #skipQuoted(): boolean {
    const quote = this.#text[this.#at] ?? ''
    if ((quote !== '"' && quote !== "'") || this.#unclosed.has(quote)) return false
    if (this.#match(QUOTED) !== undefined) return true
    this.#unclosed.add(quote)
    return false
  }

  #expected(what: string): GraphError {
    const found = this.#at < this.#text.length ? `"${this.#text[this.#at]}"` : 'end of string'
    const message = `Syntax error "Expected ${what} instead of ${found}." at character ${this.#at}: ${this.#text}`
    return new GraphError(PATH_UNKNOWN, message)
  }

  #take(mark: string): boolean {
    this.#skip(SPACE)
    if (this.#text[this.#at] !== mark) return false
    this.#at++
    return true
  }

  #match(pattern: RegExp): string | undefined {
    this.#skip(SPACE)
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)?.[0]
    this.#at += match?.length ?? 0
    return match
  }

  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#at
    this.#at += pattern.exec(this.#text)?.[0].length ?? 0
  }
}

/** A field with the key that its modifiers give it. */
function keyed(name: string, written: readonly (readonly [name: string, value: string])[]) {
  const modifiers = new Map(written)
  const key = modifiers.get('as')?.trim() ?? name
  modifiers.delete('as')
  if (/^\w+$/.test(key)) return { name, key, modifiers }
  throw new GraphError(
    INVALID_PARAMETER,
    `fields: ${name}.as(${key}) must name a key of letters, digits and underscores`,
  )
}

/** A field that is repeated word for word is answered once; another one under the same key would be lost. */
function checkKeys(fields: readonly Field[]): void {
  const known = new Map<string, string>()
  for (const { name, key, modifiers, text } of fields) {
    const asked = JSON.stringify([name, [...modifiers], text])
    if (key === 'id' && name !== 'id') throw sameKey(key, name)
    if ((known.get(key) ?? asked) !== asked) throw sameKey(key, name)
    known.set(key, asked)
  }
}

function sameKey(key: string, name: string): GraphError {
  return new GraphError(
    INVALID_PARAMETER,
    `fields has the key ${key} twice: answer one of them under a key of its own, as ${name}.as(another_key)`,
  )
}

function tooMany(what: string): GraphError {
  return new GraphError(INVALID_PARAMETER, `fields ${what}: ask for less`)
}
