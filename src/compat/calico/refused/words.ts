/**
 * What of Calico's is not done, as sentences.
 * @module
 */
import type { Refusal } from './kinds.ts'
import type { Refused } from './source.ts'

/** So many objects of which the same is to be said are named; the rest is counted. */
const MOST_NAMED = 5

/** What is said of one of them, to whoever looks at it. */
export function refusalText({ field, reason, remedy }: Refusal): string {
  return `${field === '' ? '' : `${field}: `}${reason} → ${remedy}`
}

/** A sentence for each thing that is not done, with whom it is about. */
export function refusedLines(all: readonly Refused[]): readonly string[] {
  const names = new Map<string, { readonly kind: string; readonly text: string; readonly of: string[] }>()
  for (const { about, refusals } of all) {
    const { namespace, name } = about.metadata
    for (const refusal of refusals) {
      const text = refusalText(refusal)
      const line = names.get(`${about.kind} ${text}`) ?? { kind: about.kind, text, of: [] }
      names.set(`${about.kind} ${text}`, line)
      line.of.push(namespace === undefined ? name : `${namespace}/${name}`)
    }
  }
  return [...names.values()].map(({ kind, text, of }) => `${kind} ${namesOf(of.toSorted())}: ${text}`)
}

function namesOf(names: readonly string[]): string {
  const more = names.length - MOST_NAMED
  return more > 0 ? `${names.slice(0, MOST_NAMED).join(', ')} and ${more} more` : names.join(', ')
}
