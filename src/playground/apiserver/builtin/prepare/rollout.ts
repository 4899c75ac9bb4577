/**
 * How Deployments replace their pods: what is wrong with it.
 * @module
 */
import type { Cause } from '../../http/status.ts'
import { cause, forbiddenField, invalidAs, invalidValue } from '../../objects/causes.ts'
import { type Fields, fieldsAt, isFields } from '../../objects/shape.ts'

/** What is wrong with the strategy of a Deployment. */
export function rolloutProblems(strategy: Fields): readonly Cause[] {
  const type = strategy['type']
  if (type === 'RollingUpdate') return rollingProblems(fieldsAt(strategy, 'rollingUpdate'))
  if (type !== 'Recreate') {
    const printed = `apps.DeploymentStrategy{Type:${JSON.stringify(type)}, RollingUpdate:(*apps.RollingUpdateDeployment)(nil)}`
    const message = `Unsupported value: ${printed}: supported values: "Recreate", "RollingUpdate"`
    return [cause('FieldValueNotSupported', 'spec.strategy', message)]
  }
  if (!isFields(strategy['rollingUpdate'])) return []
  return [forbiddenField('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'")]
}

const PATH = 'spec.strategy.rollingUpdate'
const PERCENT =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for " +
  "validation is '[0-9]+%')"

function rollingProblems(rolling: Fields): readonly Cause[] {
  const [missing, surge] = [rolling['maxUnavailable'], rolling['maxSurge']]
  const found = [...countProblems(`${PATH}.maxUnavailable`, missing), ...countProblems(`${PATH}.maxSurge`, surge)]
  if (found.length === 0 && amount(missing) === 0 && amount(surge) === 0) {
    found.push(invalidAs(`${PATH}.maxUnavailable`, printed(missing), 'may not be 0 when `maxSurge` is 0'))
  }
  if (typeof missing === 'string' && amount(missing) > 100) {
    found.push(invalidAs(`${PATH}.maxUnavailable`, printed(missing), 'must not be greater than 100%'))
  }
  return found
}

function countProblems(field: string, value: unknown): readonly Cause[] {
  if (typeof value === 'number')
    return value < 0 ? [invalidValue(field, value, 'must be greater than or equal to 0')] : []
  return /^[0-9]+%$/.test(String(value)) ? [] : [invalidAs(field, printed(value), PERCENT)]
}

/** The number of a count or of a percentage. */
function amount(value: unknown): number {
  return typeof value === 'number' ? value : Number.parseInt(String(value), 10)
}

function printed(value: unknown): string {
  if (typeof value === 'number') return `intstr.IntOrString{Type:0, IntVal:${value}, StrVal:""}`
  return `intstr.IntOrString{Type:1, IntVal:0, StrVal:${JSON.stringify(value)}}`
}
