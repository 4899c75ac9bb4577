/**
 * What labels and selectors must be.
 * @module
 */
import { type At, below, type Decode, reject, shown } from './decode.ts'
import { checked, list, literal, record, text } from './decoders.ts'
import { Interned } from './interned.ts'
import type { Labels, Requirement, Selector } from './policy.ts'

/** More than fit into an object of the Kubernetes API: none that it takes may escape the policies that select by labels. */
const MAX_LABELS = 200_000
/** A prefix that is a DNS name, a slash, and 63 characters. */
const MAX_KEY = 317
const MAX_VALUE = 63
/** A selector may ask for what no label can be; then it matches nothing. */
const MAX_WANTED = 253
const MAX_REQUIREMENTS = 10_000
const MAX_VALUES = 10_000

/** Labels of more characters than this are rarely those of many. */
const MOST_SHARED = 1024
const shared = new Interned<Labels>(20_000)

/**
 * Labels. Pods that one template made have the same ones: they share an object, which is frozen. It has no prototype,
 * so that no key finds anything but a label.
 */
export const labels: Decode<Labels> = (input, at) => {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return reject(at, `${shown(input)} is no object of labels`, 'give texts by their keys')
  }
  const entries: readonly (readonly [string, unknown])[] = Object.entries(input)
  if (entries.length > MAX_LABELS) {
    return reject(at, `${entries.length} labels are too many`, `give at most ${MAX_LABELS}`)
  }
  const texts = entries.filter((entry): entry is readonly [string, string] => isLabel(entry, at))
  if (texts.length < entries.length) return undefined
  const key = texts.flat().join('\0')
  return key.length > MOST_SHARED ? labelsOf(texts) : shared.of(key, () => labelsOf(texts))
}

const key = text(1, MAX_KEY)

const requirement: Decode<Requirement> = checked(
  record<Requirement>({
    key,
    operator: literal('In', 'NotIn', 'Exists', 'DoesNotExist'),
    values: list(text(0, MAX_WANTED), MAX_VALUES),
  }),
  ({ operator, values }, at) => {
    const hasValues = operator === 'In' || operator === 'NotIn'
    if (hasValues !== values.length > 0) {
      reject(below(at, 'values'), `${values.length} values for ${operator}`, 'In and NotIn have some, others none')
    }
  },
)

/** A selector. */
export const selector: Decode<Selector> = list(requirement, MAX_REQUIREMENTS)

function isLabel([key, value]: readonly [string, unknown], at: At): boolean {
  const isKey = key.length > 0 && key.length <= MAX_KEY && !key.includes('\0')
  if (isKey && typeof value === 'string' && value.length <= MAX_VALUE && !value.includes('\0')) return true
  reject(at, `${shown(key)} with ${shown(value)} is no label`, `give a text of at most ${MAX_VALUE} characters`)
  return false
}

function labelsOf(entries: readonly (readonly [string, string])[]): Labels {
  const labels: Record<string, string> = Object.create(null)
  for (const [key, value] of entries) labels[key] = value
  return Object.freeze(labels)
}
