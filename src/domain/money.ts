/** Money is a whole number of micros, the millionth part of the account's currency, as a bigint; never a float. */
export const MICROS_PER_UNIT = 1_000_000n

/** A million units a message: a price past it is a mistake, and nine million such messages a day stay within 64 bits. */
export const PRICE_MICROS_MAX = 10n ** 12n

const DECIMAL = /^(\d{1,12})(?:\.(\d{1,6}))?$/

/** Parses an amount in units of the currency, `0.014109`, to micros; `undefined` when it is no such amount. */
export function parseMicros(text: string): bigint | undefined {
  const match = DECIMAL.exec(text.trim())
  if (match === null) return undefined
  return BigInt(match[1] ?? '0') * MICROS_PER_UNIT + BigInt((match[2] ?? '').padEnd(6, '0'))
}

/** Up to it an amount is exact as a number, and so are twice the amount and its decimals: numbers are the faster way. */
const NUMBER_MAX = 10 ** 15

/** Formats micros as the wire does: at most six decimals, trailing zeros stripped, `38870000n` as `38.87`. */
export function formatMicros(micros: bigint): string {
  const number = Number(micros)
  return Math.abs(number) <= NUMBER_MAX ? formatNumber(number) : formatDigits(micros)
}

/** Formats a ratio the same way; `undefined` when it is over nothing. Both parts are not negative. */
export function formatRatio(micros: bigint, over: bigint): string | undefined {
  if (over === 0n) return undefined
  const [numerator, denominator] = [Number(micros), Number(over)]
  const isExact = numerator <= NUMBER_MAX && denominator <= NUMBER_MAX
  if (!isExact) return formatMicros(divideHalfUp(micros, over))
  return formatNumber(Math.floor((numerator * 2 + denominator) / (denominator * 2)))
}

/** A number prints with the fewest digits that tell it from any other: those of a decimal of so few digits are its own. */
function formatNumber(micros: number): string {
  return String(micros / 1_000_000)
}

function formatDigits(micros: bigint): string {
  const sign = micros < 0n ? '-' : ''
  const digits = (micros < 0n ? -micros : micros).toString().padStart(7, '0')
  const decimals = digits.slice(-6).replace(/0+$/, '')
  return sign + digits.slice(0, -6) + (decimals === '' ? '' : `.${decimals}`)
}

/** Divides, and rounds halves up, as every ratio on the wire is rounded; both parts are not negative. */
export function divideHalfUp(numerator: bigint, denominator: bigint): bigint {
  return (numerator * 2n + denominator) / (denominator * 2n)
}
