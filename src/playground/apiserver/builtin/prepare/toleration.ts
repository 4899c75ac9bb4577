/**
 * Tolerations: what is wrong with them.
 * @module
 */
import type { Cause } from '../../http/status.ts'
import { invalidValue } from '../../objects/causes.ts'
import { arrayAt, type Fields, fieldsAt, textAt } from '../../objects/shape.ts'
import { given, labelValue, oneOf, qualifiedName } from './syntax.ts'

/** What is wrong with the taints that a pod puts up with. */
export function tolerationProblems(spec: Fields, path: string): readonly Cause[] {
  return arrayAt(spec, 'tolerations').flatMap((toleration, index) =>
    problemsOfToleration(fieldsAt(toleration), `${path}.tolerations[${index}]`),
  )
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
const KEYLESS = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'

function problemsOfToleration(toleration: Fields, at: string): readonly Cause[] {
  const [key = '', operator = '', value = '', effect = ''] = ['key', 'operator', 'value', 'effect'].map((name) =>
    textAt(toleration, name),
  )
  const found: Cause[] = [...given(`${at}.key`, key, qualifiedName)]
  if (key === '' && operator !== 'Exists') found.push(invalidValue(`${at}.operator`, operator, KEYLESS))
  if (toleration['tolerationSeconds'] !== undefined && effect !== 'NoExecute') {
    found.push(invalidValue(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
  }
  if (operator === 'Exists') {
    if (value !== '')
      found.push(invalidValue(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"))
  } else if (operator === '' || operator === 'Equal') found.push(...labelValue(`${at}.operator`, value))
  else found.push(...oneOf(`${at}.operator`, operator, ['Equal', 'Exists']))
  if (effect !== '') found.push(...oneOf(`${at}.effect`, effect, EFFECTS))
  return found
}
