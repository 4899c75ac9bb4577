/**
 * What is wrong with containers.
 * @module
 */
import type { Cause } from '../../http/status.ts'
import { duplicate, forbiddenField, invalidValue, required, unsupported } from '../../objects/causes.ts'
import { arrayAt, type Fields, fieldsAt, numberAt, textAt } from '../../objects/shape.ts'
import { namesOf } from './container.ts'
import { environmentProblems } from './environment.ts'
import { probeProblems } from './probe.ts'
import { resourceProblems } from './resources.ts'
import { dnsLabel, inRange, needed, oneOf, portName, portNumber } from './syntax.ts'
import { mountProblems } from './volume.ts'

/** What is wrong with the containers of a pod's spec. */
export function containerProblems(spec: Fields, path: string): readonly Cause[] {
  const containers = arrayAt(spec, 'containers')
  const names = namesOf(spec, 'containers')
  const first = namesOf(spec, 'initContainers')
  if (containers.length === 0) return [required(`${path}.containers`)]
  return [
    ...hostPortProblems(containers, path),
    ...containers.flatMap((each, index) => {
      const at = `${path}.containers[${index}]`
      const container = fieldsAt(each)
      return [
        ...problemsOfContainer(container, spec, at),
        ...repeated(`${at}.name`, container['name'], names.slice(0, index)),
        ...(container['restartPolicy'] === undefined
          ? []
          : [forbiddenField(`${at}.restartPolicy`, 'may not be set for non-init containers')]),
      ]
    }),
    ...arrayAt(spec, 'initContainers').flatMap((each, index) => {
      const at = `${path}.initContainers[${index}]`
      const container = fieldsAt(each)
      return [
        ...problemsOfContainer(container, spec, at),
        ...repeated(`${at}.name`, container['name'], [...names, ...first.slice(0, index)]),
        ...initProblems(container, at),
      ]
    }),
  ]
}

function repeated(field: string, name: unknown, others: readonly unknown[]): readonly Cause[] {
  return name !== undefined && name !== '' && others.includes(name) ? [duplicate(field, name)] : []
}

/** One that ends before the others start has nothing to probe. */
function initProblems(container: Fields, at: string): readonly Cause[] {
  const policy = container['restartPolicy']
  if (policy === 'Always') return []
  const probes = ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle']
  return [
    ...(policy === undefined ? [] : [unsupported(`${at}.restartPolicy`, policy, ['Always'])]),
    ...probes
      .filter((name) => container[name] !== undefined)
      .map((name) =>
        forbiddenField(`${at}.${name}`, 'may not be set for init containers without restartPolicy=Always'),
      ),
  ]
}

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError']

function problemsOfContainer(container: Fields, spec: Fields, at: string): readonly Cause[] {
  const image = textAt(container, 'image') ?? ''
  const isPadded = image.trim() !== image
  return [
    ...needed(`${at}.name`, textAt(container, 'name'), dnsLabel),
    ...needed(`${at}.image`, image),
    ...(isPadded ? [invalidValue(`${at}.image`, image, 'must not have leading or trailing whitespace')] : []),
    ...probeProblems(container, at),
    ...oneOf(`${at}.terminationMessagePolicy`, textAt(container, 'terminationMessagePolicy'), MESSAGE_POLICIES),
    ...portProblems(container, spec, at),
    ...environmentProblems(container, at),
    ...mountProblems(container, namesOf(spec, 'volumes'), at),
    ...oneOf(`${at}.imagePullPolicy`, textAt(container, 'imagePullPolicy'), PULL_POLICIES),
    ...resourceProblems(container, at),
    ...userProblems(fieldsAt(container, 'securityContext'), `${at}.securityContext`),
  ]
}

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

function portProblems(container: Fields, spec: Fields, path: string): readonly Cause[] {
  const ports = arrayAt(container, 'ports').map((port) => fieldsAt(port))
  return ports.flatMap((port, index) => {
    const at = `${path}.ports[${index}]`
    const [name, number, host] = [textAt(port, 'name'), numberAt(port, 'containerPort'), numberAt(port, 'hostPort')]
    const found: Cause[] = name ? [...portName(`${at}.name`, name)] : []
    found.push(
      ...repeated(
        `${at}.name`,
        name,
        ports.slice(0, index).map((other) => other['name']),
      ),
    )
    found.push(...(number ? portNumber(`${at}.containerPort`, number) : [required(`${at}.containerPort`)]))
    if (host) found.push(...portNumber(`${at}.hostPort`, host))
    found.push(...oneOf(`${at}.protocol`, textAt(port, 'protocol'), PROTOCOLS))
    if (host && spec['hostNetwork'] === true && host !== number) {
      found.push(invalidValue(`${at}.hostPort`, host, 'must match `containerPort` when `hostNetwork` is true'))
    }
    return found
  })
}

/** A port of the node leads to one container. */
function hostPortProblems(containers: readonly unknown[], path: string): readonly Cause[] {
  const seen = new Set<string>()
  return containers.flatMap((container, index) =>
    arrayAt(container, 'ports').flatMap((port, place) => {
      const host = numberAt(port, 'hostPort') ?? 0
      const key = `${textAt(port, 'protocol')}/${textAt(port, 'hostIP') ?? ''}/${host}`
      if (host === 0) return []
      if (seen.has(key)) return [duplicate(`${path}.containers[${index}].ports[${place}].hostPort`, key)]
      seen.add(key)
      return []
    }),
  )
}

/** What is wrong with the users that processes run as. */
export function userProblems(context: Fields, at: string): readonly Cause[] {
  return ['runAsUser', 'runAsGroup', 'fsGroup'].flatMap((name) => {
    const id = numberAt(context, name)
    return id === undefined ? [] : inRange(`${at}.${name}`, id, 0, 2 ** 31 - 1)
  })
}
