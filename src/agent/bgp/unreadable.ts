/**
 * Objects of BGP that are there and cannot be read, for people: in the words of whoever wrote them.
 * @module
 */
import { weftBindings } from '../../compat/bindings.ts'
import type { FieldProblem } from '../../network/model/problem.ts'

/** What says whom nodes speak BGP with, and about what. */
export const BGP_KINDS = ['BgpConfiguration', 'BgpFilter', 'BgpPeering', 'BgpRange'] as const

/** One of these. */
export type BgpKind = (typeof BGP_KINDS)[number]

/** A problem for each of them, of whatever of `<kind>/<name>` cannot be read. `isKept`: whether what it said before is known, and counts. */
export function unreadableProblems(
  unreadable: Iterable<readonly [object: string, problem: string]>,
  isKept: (kind: BgpKind, name: string) => boolean,
): readonly FieldProblem[] {
  return [...unreadable].flatMap(([object, problem]) => {
    const kind = BGP_KINDS.find((one) => object.startsWith(`${one}/`))
    if (kind === undefined) return []
    const name = object.slice(kind.length + 1)
    // Some say which field it is in.
    const [, field = '', reason = problem] = /^(spec\S*|annotation \S+): (.*)$/s.exec(problem) ?? []
    return [
      {
        field: `${weftBindings[kind].resource.kind} ${name}${field === '' ? '' : ` ${field}`}`,
        reason,
        remedy: isKept(kind, name) ? 'until then it counts as it was before' : 'until then it counts as absent',
      },
    ]
  })
}
