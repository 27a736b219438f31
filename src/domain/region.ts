/**
 * Every recipient falls in one of three classes by country, and each metric counts some of them (design 5):
 * A is Europe and Japan; B is Argentina, Turkey and South Korea; C is everyone else and everyone whose country is
 * unknown.
 */
export const REGION_CLASSES = ['a', 'b', 'c'] as const

export type RegionClass = (typeof REGION_CLASSES)[number]

/** Raise it with every change of the lists below: a changed version resolves every thread anew. */
export const REGION_LIST_VERSION = '1'

/**
 * Meta leaves out "Europe" and does not print the list. We take the continent as the United Nations' M49 standard
 * draws it, plus Cyprus (M49: Western Asia; a member of the European Union) and Kosovo (no M49 code of its own).
 * Turkey stands apart because Meta names it apart.
 */
export const EUROPE: ReadonlySet<string> = new Set(
  (
    'AD AL AT AX BA BE BG BY CH CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT ' +
    'NL NO PL PT RO RS RU SE SI SJ SK SM UA VA CY XK'
  ).split(' '),
)

const CLASS_B: ReadonlySet<string> = new Set(['AR', 'TR', 'KR'])

/** The class of a country, given as its ISO 3166-1 alpha-2 code; `null` is the unknown country. */
export function regionClassOf(country: string | null): RegionClass {
  if (country === null) return 'c'
  if (country === 'JP' || EUROPE.has(country)) return 'a'
  return CLASS_B.has(country) ? 'b' : 'c'
}
