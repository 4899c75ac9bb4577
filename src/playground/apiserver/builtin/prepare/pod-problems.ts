/**
 * What is wrong with the spec of a pod or of a template.
 * @module
 */
import type { Cause } from '../../http/status.ts'
import { invalidAs, invalidValue, required } from '../../objects/causes.ts'
import { arrayAt, type Fields, fieldsAt, numberAt, textAt, valueAt } from '../../objects/shape.ts'
import { affinityProblems } from './affinity.ts'
import { containerProblems, userProblems } from './container-problems.ts'
import { dnsLabel, dnsSubdomain, given, inRange, ipAddress, labels, oneOf, qualifiedName } from './syntax.ts'
import { tolerationProblems } from './toleration.ts'
import { volumeProblems } from './volume.ts'

/** What is wrong with a pod's spec at a path. */
export function podProblems(spec: Fields, path: string): readonly Cause[] {
  return [
    ...volumeProblems(spec, path),
    ...containerProblems(spec, path),
    ...oneOf(`${path}.restartPolicy`, textAt(spec, 'restartPolicy'), RESTART_POLICIES),
    ...oneOf(`${path}.dnsPolicy`, textAt(spec, 'dnsPolicy'), DNS_POLICIES),
    ...labels(`${path}.nodeSelector`, fieldsAt(spec, 'nodeSelector')),
    ...userProblems(fieldsAt(spec, 'securityContext'), `${path}.securityContext`),
    ...sharedProblems(spec, `${path}.securityContext`),
    ...given(`${path}.serviceAccountName`, textAt(spec, 'serviceAccountName'), dnsSubdomain),
    ...given(`${path}.nodeName`, textAt(spec, 'nodeName'), dnsSubdomain),
    ...deadlineProblems(spec, `${path}.activeDeadlineSeconds`),
    ...given(`${path}.hostname`, textAt(spec, 'hostname'), dnsLabel),
    ...given(`${path}.subdomain`, textAt(spec, 'subdomain'), dnsLabel),
    ...tolerationProblems(spec, path),
    ...hostAliasProblems(spec, path),
    ...dnsProblems(spec, path),
    ...arrayAt(spec, 'readinessGates').flatMap((gate, index) =>
      qualifiedName(`${path}.readinessGates[${index}].conditionType`, textAt(gate, 'conditionType') ?? ''),
    ),
    ...affinityProblems(fieldsAt(spec, 'affinity'), `${path}.affinity`),
    ...spreadProblems(spec, path),
  ]
}

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never']
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const SPREADS = ['DoNotSchedule', 'ScheduleAnyway']
const MOST_NAMESERVERS = 3

function sharedProblems(spec: Fields, at: string): readonly Cause[] {
  if (spec['shareProcessNamespace'] !== true || spec['hostPID'] !== true) return []
  return [invalidValue(`${at}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled')]
}

function deadlineProblems(spec: Fields, field: string): readonly Cause[] {
  const seconds = numberAt(spec, 'activeDeadlineSeconds')
  return seconds === undefined ? [] : inRange(field, seconds, 1, 2 ** 31 - 1)
}

function hostAliasProblems(spec: Fields, path: string): readonly Cause[] {
  return arrayAt(spec, 'hostAliases').flatMap((alias, index) => {
    const at = `${path}.hostAliases[${index}]`
    return [
      ...ipAddress(`${at}.ip`, textAt(alias, 'ip') ?? ''),
      ...arrayAt(alias, 'hostnames').flatMap((name, place) => dnsSubdomain(`${at}.hostnames[${place}]`, String(name))),
    ]
  })
}

function dnsProblems(spec: Fields, path: string): readonly Cause[] {
  const config = valueAt(spec, 'dnsConfig')
  const servers = arrayAt(config, 'nameservers')
  const at = `${path}.dnsConfig`
  const found: Cause[] = []
  if (spec['dnsPolicy'] === 'None' && servers.length === 0) {
    found.push(
      config === undefined
        ? required(at, 'must provide `dnsConfig` when `dnsPolicy` is None')
        : required(`${at}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'),
    )
  }
  if (servers.length > MOST_NAMESERVERS) {
    const printed = `[]string{${servers.map((server) => JSON.stringify(server)).join(', ')}}`
    found.push(invalidAs(`${at}.nameservers`, printed, `must not have more than ${MOST_NAMESERVERS} nameservers`))
  }
  return [
    ...found,
    ...servers.flatMap((server, index) => ipAddress(`${at}.nameservers[${index}]`, String(server))),
    ...arrayAt(config, 'searches').flatMap((domain, index) =>
      dnsSubdomain(`${at}.searches[${index}]`, String(domain).replace(/\.$/, '')),
    ),
  ]
}

function spreadProblems(spec: Fields, path: string): readonly Cause[] {
  return arrayAt(spec, 'topologySpreadConstraints').flatMap((constraint, index) => {
    const at = `${path}.topologySpreadConstraints[${index}]`
    const skew = numberAt(constraint, 'maxSkew') ?? 0
    return [
      ...(skew > 0 ? [] : [invalidValue(`${at}.maxSkew`, skew, 'must be greater than zero')]),
      ...(textAt(constraint, 'topologyKey') ? [] : [required(`${at}.topologyKey`, 'can not be empty')]),
      ...oneOf(`${at}.whenUnsatisfiable`, textAt(constraint, 'whenUnsatisfiable') ?? '', SPREADS),
    ]
  })
}
