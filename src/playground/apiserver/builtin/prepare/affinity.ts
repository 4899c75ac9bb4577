/**
 * Where pods want to run: what is wrong with it.
 * @module
 */
import type { Cause } from '../../http/status.ts'
import { invalidValue, required } from '../../objects/causes.ts'
import { arrayAt, type Fields, fieldsAt, isFields, numberAt, textAt, valueAt } from '../../objects/shape.ts'
import { expressionProblems, selectorProblems } from './selector.ts'
import { qualifiedName } from './syntax.ts'

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'

/** What is wrong with an affinity. */
export function affinityProblems(affinity: Fields, path: string): readonly Cause[] {
  return [
    ...nodeProblems(fieldsAt(affinity, 'nodeAffinity'), `${path}.nodeAffinity`),
    ...['podAffinity', 'podAntiAffinity'].flatMap((name) => podTerms(fieldsAt(affinity, name), `${path}.${name}`)),
  ]
}

function nodeProblems(affinity: Fields, path: string): readonly Cause[] {
  const needed = affinity[REQUIRED]
  const at = `${path}.${REQUIRED}.nodeSelectorTerms`
  const terms = arrayAt(needed, 'nodeSelectorTerms')
  const none = isFields(needed) && terms.length === 0 ? [required(at, 'must have at least one node selector term')] : []
  const liked = arrayAt(affinity, PREFERRED).flatMap((term, index) => {
    const place = `${path}.${PREFERRED}[${index}]`
    return [...weightProblems(term, place), ...nodeTerm(valueAt(term, 'preference'), `${place}.preference`)]
  })
  return [...none, ...terms.flatMap((term, index) => nodeTerm(term, `${at}[${index}]`)), ...liked]
}

/** `Gt` and `Lt` compare numbers; only nodes are chosen by them. */
function nodeTerm(term: unknown, at: string): readonly Cause[] {
  return arrayAt(term, 'matchExpressions').flatMap((expression, index) =>
    expressionProblems(fieldsAt(expression), `${at}.matchExpressions[${index}]`, ['Gt', 'Lt']),
  )
}

function podTerms(affinity: Fields, path: string): readonly Cause[] {
  return [
    ...arrayAt(affinity, REQUIRED).flatMap((term, index) => podTerm(term, `${path}.${REQUIRED}[${index}]`)),
    ...arrayAt(affinity, PREFERRED).flatMap((term, index) => {
      const at = `${path}.${PREFERRED}[${index}]`
      return [...weightProblems(term, at), ...podTerm(valueAt(term, 'podAffinityTerm'), `${at}.podAffinityTerm`)]
    }),
  ]
}

function podTerm(term: unknown, at: string): readonly Cause[] {
  const key = textAt(term, 'topologyKey') ?? ''
  return [
    ...selectorProblems(fieldsAt(term, 'labelSelector'), `${at}.labelSelector`),
    ...(key === '' ? [required(`${at}.topologyKey`, 'can not be empty')] : []),
    ...qualifiedName(`${at}.topologyKey`, key),
  ]
}

function weightProblems(term: unknown, at: string): readonly Cause[] {
  const weight = numberAt(term, 'weight') ?? 0
  return weight >= 1 && weight <= 100 ? [] : [invalidValue(`${at}.weight`, weight, 'must be in the range 1-100')]
}
