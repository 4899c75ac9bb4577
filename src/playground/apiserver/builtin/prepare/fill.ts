/**
 * Filling in what is not given.
 * @module
 */
import type { Fields } from '../../objects/shape.ts'

/** The fields, with these where nothing is given. An empty text is nothing. */
export function filled(fields: Fields, defaults: Fields): Fields {
  const missing = Object.entries(defaults).filter(([name]) => !isGiven(fields[name]))
  return missing.length === 0 ? fields : { ...fields, ...Object.fromEntries(missing) }
}

/** As {@link filled}, for numbers of which zero means that none is given. */
export function filledZeros(fields: Fields, defaults: Fields): Fields {
  const missing = Object.entries(defaults).filter(([name]) => !isGiven(fields[name]) || fields[name] === 0)
  return missing.length === 0 ? fields : { ...fields, ...Object.fromEntries(missing) }
}

/** The fields with one of them changed, where it is there. */
export function changed(fields: Fields, name: string, change: (value: Fields) => Fields): Fields {
  const value = fields[name]
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { ...fields, [name]: change(value as Fields) }
    : fields
}

/** The fields with every item of a list changed, where it is there. */
export function changedItems(fields: Fields, name: string, change: (item: Fields) => Fields): Fields {
  const list = fields[name]
  return Array.isArray(list) ? { ...fields, [name]: list.map((item) => change(item as Fields)) } : fields
}

/** Without these fields. */
export function without(fields: Fields, names: readonly string[]): Fields {
  if (!names.some((name) => Object.hasOwn(fields, name))) return fields
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}
