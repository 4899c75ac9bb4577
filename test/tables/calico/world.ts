/**
 * A world of Calico's objects as both oracles, and the pipeline, see it.
 */
import { weftBindings } from '../../../src/compat/bindings.ts'
import type { KubeObject } from '../../../src/kube/object.ts'
import { familyOf } from '../../../src/network/model/address.ts'
import { type Policy, policyKey } from '../../../src/network/model/policy.ts'
import type { Connection, Party as WeftParty } from '../../../src/network/policy/verdict.ts'
import { decodeValue } from '../../../src/registry/codec.ts'
import { NAMESPACES } from '../policy/objects.ts'
import { type World, worldWith } from '../policy/world.ts'
import type { CalicoPolicy, CalicoWorld, Call, KubePolicy, LabelledNets, Party } from './oracle.ts'

/** What somebody wrote. */
export type Written = Pick<CalicoWorld, 'calico' | 'kubernetes' | 'sets'>

/** As the oracle of Calico's dialect takes it. */
export function calicoWorldOf(written: Written): CalicoWorld {
  return {
    ...written,
    namespaces: Object.fromEntries(NAMESPACES.map(({ name, labels = {} }) => [name, { ...labels }])),
  }
}

/** As it is read from the API. Throws where something of it is not understood. */
export function weftWorldOf({ calico, kubernetes, sets }: Written): World {
  const policies = [...calico.map(policyOf), ...kubernetes.map(kubePolicyOf)]
  const strange = policies.find(({ problems = [] }) => problems.length > 0)
  if (strange !== undefined) throw new Error(`${policyKey(strange)}: ${JSON.stringify(strange.problems)}`)
  return worldWith(policies, { sets: sets.map(setOf) })
}

/** A policy of Calico as it is read. */
export function policyOf({ name, namespace, ...spec }: CalicoPolicy): Policy {
  const kind = namespace === undefined ? 'GlobalNetworkPolicy' : 'CalicoNetworkPolicy'
  return read(kind, name, namespace, { spec })
}

function setOf({ name, namespace, labels, nets }: LabelledNets) {
  const kind = namespace === undefined ? 'GlobalNetworkSet' : 'NetworkSet'
  const object = objectOf(kind, name, namespace, { spec: { nets } }, labels)
  return decodeValue(kind, weftBindings[kind].nameOf(object) ?? '', weftBindings[kind].decode(object))
}

function kubePolicyOf({ name, namespace, pod, direction, allows }: KubePolicy): Policy {
  const labels = (label: string | undefined) => (label === undefined ? {} : { matchLabels: { pod: label } })
  const rules = allows.map((one) => ({
    ...(one.pod === undefined ? {} : { [direction === 'Ingress' ? 'from' : 'to']: [{ podSelector: labels(one.pod) }] }),
    ...(one.port === undefined ? {} : { ports: [{ port: one.port }] }),
  }))
  const spec = { podSelector: labels(pod), policyTypes: [direction], [direction.toLowerCase()]: rules }
  return read('NetworkPolicy', name, namespace, { spec })
}

function read(
  kind: 'NetworkPolicy' | 'CalicoNetworkPolicy' | 'GlobalNetworkPolicy',
  name: string,
  namespace: string | undefined,
  fields: object,
): Policy {
  const object = objectOf(kind, name, namespace, fields)
  return decodeValue(kind, weftBindings[kind].nameOf(object) ?? '', weftBindings[kind].decode(object))
}

function objectOf(
  kind: keyof typeof weftBindings,
  name: string,
  namespace: string | undefined,
  fields: object,
  labels: Readonly<Record<string, string>> = {},
): KubeObject {
  const { resource } = weftBindings[kind]
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }), labels }
  const object = { apiVersion: `${resource.group}/${resource.version}`, kind: resource.kind, metadata, ...fields }
  // As it comes over the wire.
  return JSON.parse(JSON.stringify(object)) as KubeObject
}

/** A connection as the oracle of Calico's dialect takes it. */
export function callOf(connection: Connection): Call {
  const { source, destination, protocol, port, sourcePort = 40_000 } = connection
  const echo = familyOf(destination.address) === 4 ? 8 : 128
  const icmp = connection.icmp ?? { type: echo, code: 0 }
  return { from: partyOf(source), to: partyOf(destination), protocol, port, sourcePort, icmp }
}

function partyOf(party: WeftParty): Party {
  if (party.type !== 'pod') return { address: party.address }
  const { namespace, name, labels = {}, namedPorts = [] } = party.pod
  return { address: party.address, namespace, name, labels, ports: namedPorts }
}
