/**
 * What the model's validators make of an object under its kind and name.
 * @module
 */
import { type Decoded, describeProblems } from '../network/model/decode.ts'
import { decodeNetworkSet, type NetworkSet, type NetworkSetKind } from '../network/model/network-set.ts'
import type { Policy, PolicyKind } from '../network/model/policy.ts'
import { claimName } from '../network/model/pool.ts'
import { decodeBgpConfiguration, decodeBgpPeering, decodeBgpRange } from '../network/model/validate-bgp.ts'
import { decodeBgpFilter } from '../network/model/validate-bgp-filter.ts'
import { decodeCluster } from '../network/model/validate-cluster.ts'
import { decodeAttachmentDefinition, decodeCoordinator } from '../network/model/validate-definition.ts'
import { decodeNeutronNetwork, decodeNodePorts, decodePortUse } from '../network/model/validate-neutron.ts'
import { decodeNode, decodeNodeNetwork } from '../network/model/validate-node.ts'
import { decodeNamespace, decodePod } from '../network/model/validate-pod.ts'
import { decodePolicy } from '../network/model/validate-policy.ts'
import { decodeAddressClaim, decodeAddressPool, decodeReservedAddresses } from '../network/model/validate-pool.ts'
import { decodeEndpointSlice, decodeService } from '../network/model/validate-service.ts'
import { decodeTenant } from '../network/model/validate-tenant.ts'
import { type Kind, type Kinds, RegistryError } from './registry.ts'

interface Codec<T> {
  readonly decode: (input: unknown) => Decoded<T>
  /** The name that an object with this value has. */
  readonly nameOf: (value: T) => string
}

const CODECS: { readonly [K in Kind]: Codec<Kinds[K]> } = {
  Cluster: { decode: decodeCluster, nameOf: () => 'default' },
  Node: { decode: decodeNode, nameOf: (node) => node.name },
  NodeNetwork: { decode: decodeNodeNetwork, nameOf: (network) => network.node },
  Namespace: { decode: decodeNamespace, nameOf: (namespace) => namespace.name },
  Tenant: { decode: decodeTenant, nameOf: (tenant) => tenant.namespace },
  Pod: { decode: decodePod, nameOf: (pod) => `${pod.namespace}/${pod.name}` },
  Service: { decode: decodeService, nameOf: (service) => `${service.namespace}/${service.name}` },
  EndpointSlice: { decode: decodeEndpointSlice, nameOf: (slice) => `${slice.namespace}/${slice.name}` },
  AddressPool: { decode: decodeAddressPool, nameOf: ({ name }) => name },
  ReservedAddresses: { decode: decodeReservedAddresses, nameOf: ({ name }) => name },
  AddressClaim: { decode: decodeAddressClaim, nameOf: ({ address }) => claimName(address) },
  AttachmentDefinition: {
    decode: decodeAttachmentDefinition,
    nameOf: ({ namespace, name }) => `${namespace}/${name}`,
  },
  Coordinator: { decode: decodeCoordinator, nameOf: ({ name }) => name },
  BgpConfiguration: { decode: decodeBgpConfiguration, nameOf: ({ name }) => name },
  BgpFilter: { decode: decodeBgpFilter, nameOf: ({ name }) => name },
  BgpPeering: { decode: decodeBgpPeering, nameOf: ({ name }) => name },
  BgpRange: { decode: decodeBgpRange, nameOf: ({ name }) => name },
  NeutronNetwork: { decode: decodeNeutronNetwork, nameOf: ({ name }) => name },
  NodePorts: { decode: decodeNodePorts, nameOf: ({ node }) => node },
  PortUse: { decode: decodePortUse, nameOf: ({ node }) => node },
  NetworkPolicy: policyCodec('NetworkPolicy'),
  AdminNetworkPolicy: policyCodec('AdminNetworkPolicy'),
  BaselineAdminNetworkPolicy: policyCodec('BaselineAdminNetworkPolicy'),
  ClusterNetworkPolicy: policyCodec('ClusterNetworkPolicy'),
  EgressNetworkPolicy: policyCodec('EgressNetworkPolicy'),
  CalicoNetworkPolicy: policyCodec('CalicoNetworkPolicy'),
  GlobalNetworkPolicy: policyCodec('GlobalNetworkPolicy'),
  NetworkSet: networkSetCodec('NetworkSet'),
  GlobalNetworkSet: networkSetCodec('GlobalNetworkSet'),
}

/** Every kind there is. */
export const KINDS: readonly Kind[] = Object.keys(CODECS) as Kind[]

/** Whether a text names a kind. */
export function isKind(text: string): text is Kind {
  return Object.hasOwn(CODECS, text)
}

/**
 * A valid, deep-frozen value of a kind. Throws `REGISTRY_INVALID`, also when the value belongs under another name. With `fieldOf` the
 * error is in the words of whoever wrote it: it begins with the field, by what it makes of the model's, and leaves the object to the reader.
 */
export function decodeValue<K extends Kind>(
  kind: K,
  name: string,
  input: unknown,
  fieldOf?: (path: string) => string,
): Kinds[K] {
  const codec: Codec<Kinds[K]> = CODECS[kind]
  const decoded = codec.decode(input)
  if (!decoded.ok && fieldOf !== undefined) {
    const problems = decoded.problems.map((problem) => ({ ...problem, path: fieldOf(problem.path) }))
    throw new RegistryError('REGISTRY_INVALID', describeProblems(problems))
  }
  if (!decoded.ok) {
    throw new RegistryError(
      'REGISTRY_INVALID',
      `${kind} ${cut(name)} is invalid: ${describeProblems(decoded.problems)}`,
    )
  }
  const expected = codec.nameOf(decoded.value)
  if (name !== expected) {
    throw new RegistryError(
      'REGISTRY_INVALID',
      `${kind} ${cut(name)} is invalid: an object like this is named ${expected}`,
    )
  }
  return deepFreeze(decoded.value)
}

function policyCodec(kind: PolicyKind): Codec<Policy> {
  return {
    decode: (input) => {
      const decoded = decodePolicy(input)
      if (!decoded.ok || decoded.value.kind === kind) return decoded
      const problem = `a ${decoded.value.kind} is no ${kind}`
      return { ok: false, problems: [{ path: 'kind', problem, remedy: `give ${kind}` }] }
    },
    nameOf: ({ namespace, name }) => (namespace === undefined ? name : `${namespace}/${name}`),
  }
}

function networkSetCodec(kind: NetworkSetKind): Codec<NetworkSet> {
  return {
    decode: (input) => {
      const decoded = decodeNetworkSet(input)
      if (!decoded.ok || decoded.value.kind === kind) return decoded
      const problem = `a ${decoded.value.kind} is no ${kind}`
      return { ok: false, problems: [{ path: 'kind', problem, remedy: `give ${kind}` }] }
    },
    nameOf: ({ namespace, name }) => (namespace === undefined ? name : `${namespace}/${name}`),
  }
}

/** A name as it may stand in a message. */
export function cut(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
