/**
 * Probes and hooks: what is wrong with them.
 * @module
 */
import type { Cause } from '../../http/status.ts'
import { forbiddenField, invalidValue, required } from '../../objects/causes.ts'
import { arrayAt, type Fields, fieldsAt, isFields, numberAt, textAt, valueAt } from '../../objects/shape.ts'
import { HOOKS, PROBES } from './container.ts'
import { notNegative, oneOf, portNumber, portReference } from './syntax.ts'

/** What is wrong with a container's probes and hooks. */
export function probeProblems(container: Fields, path: string): readonly Cause[] {
  const hooks = HOOKS.flatMap((name) => {
    const hook = valueAt(container, 'lifecycle', name)
    return isFields(hook) ? handlerProblems(hook, `${path}.lifecycle.${name}`) : []
  })
  const probes = PROBES.flatMap((name) => {
    const probe = container[name]
    return isFields(probe) ? [...problemsOfProbe(probe, `${path}.${name}`), ...onceProblems(probe, name, path)] : []
  })
  return [...hooks, ...probes]
}

const NUMBERS = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold']
const SCHEMES = ['HTTP', 'HTTPS']
const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep']

function problemsOfProbe(probe: Fields, at: string): readonly Cause[] {
  const grace = numberAt(probe, 'terminationGracePeriodSeconds')
  return [
    ...handlerProblems(probe, at),
    ...NUMBERS.flatMap((name) => notNegative(`${at}.${name}`, probe[name])),
    ...(grace !== undefined && grace <= 0
      ? [invalidValue(`${at}.terminationGracePeriodSeconds`, grace, 'must be greater than 0')]
      : []),
  ]
}

/** One success is enough where a failure means a restart. */
function onceProblems(probe: Fields, name: string, path: string): readonly Cause[] {
  const threshold = probe['successThreshold']
  if (name === 'readinessProbe' || threshold === 1) return []
  return [invalidValue(`${path}.${name}.successThreshold`, threshold, 'must be 1')]
}

function handlerProblems(handler: Fields, at: string): readonly Cause[] {
  const [first, ...others] = HANDLERS.filter((name) => isFields(handler[name]))
  if (first === undefined) return [required(at, 'must specify a handler type')]
  return [
    ...problemsOfHandler(first, fieldsAt(handler, first), `${at}.${first}`),
    ...others.map((other) => forbiddenField(`${at}.${other}`, 'may not specify more than 1 handler type')),
  ]
}

function problemsOfHandler(name: string, fields: Fields, at: string): readonly Cause[] {
  switch (name) {
    case 'exec':
      return arrayAt(fields, 'command').length === 0 ? [required(`${at}.command`)] : []
    case 'httpGet':
      return [
        ...portReference(`${at}.port`, fields['port']),
        ...oneOf(`${at}.scheme`, textAt(fields, 'scheme'), SCHEMES),
      ]
    case 'tcpSocket':
      return portReference(`${at}.port`, fields['port'])
    case 'grpc':
      return portNumber(`${at}.port`, numberAt(fields, 'port') ?? 0)
    default:
      return []
  }
}
