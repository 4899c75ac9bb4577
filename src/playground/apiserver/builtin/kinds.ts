/**
 * The kinds that the server has of its own. What is not in here does not exist for its clients.
 * @module
 */
import type { ServedResource } from '../contract.ts'

/** What a kind is called and which parts of it have an address. */
export type KindNames = Pick<
  ServedResource,
  | 'group'
  | 'version'
  | 'plural'
  | 'singular'
  | 'kind'
  | 'listKind'
  | 'namespaced'
  | 'shortNames'
  | 'categories'
  | 'subresources'
>

type Rest = Partial<Pick<KindNames, 'shortNames' | 'categories' | 'subresources' | 'plural'>>

const core = group('', 'v1')
const apps = group('apps', 'v1')
const discovery = group('discovery.k8s.io', 'v1')
const networking = group('networking.k8s.io', 'v1')
const coordination = group('coordination.k8s.io', 'v1')

/**
 * Short names, categories and scope are Kubernetes'. `events.k8s.io` is left out: kubectl reads events of the core
 * group, and so do we.
 */
export const KINDS: readonly KindNames[] = [
  core('Namespace', false, { shortNames: ['ns'], subresources: ['status', 'finalize'] }),
  core('Node', false, { shortNames: ['no'], subresources: ['status'] }),
  core('Pod', true, {
    shortNames: ['po'],
    categories: ['all'],
    subresources: ['status', 'log', 'exec', 'attach', 'binding', 'eviction'],
  }),
  core('Service', true, { shortNames: ['svc'], categories: ['all'], subresources: ['status'] }),
  core('Endpoints', true, { shortNames: ['ep'], plural: 'endpoints' }),
  core('ConfigMap', true, { shortNames: ['cm'] }),
  core('Secret', true),
  core('ServiceAccount', true, { shortNames: ['sa'] }),
  core('Event', true, { shortNames: ['ev'] }),
  apps('Deployment', true, { shortNames: ['deploy'], categories: ['all'], subresources: ['status', 'scale'] }),
  apps('ReplicaSet', true, { shortNames: ['rs'], categories: ['all'], subresources: ['status', 'scale'] }),
  apps('StatefulSet', true, { shortNames: ['sts'], categories: ['all'], subresources: ['status', 'scale'] }),
  apps('ControllerRevision', true),
  discovery('EndpointSlice', true),
  networking('NetworkPolicy', true, { shortNames: ['netpol'], plural: 'networkpolicies' }),
  coordination('Lease', true),
]

function group(name: string, version: string): (kind: string, namespaced: boolean, rest?: Rest) => KindNames {
  return (kind, namespaced, rest = {}) => {
    const plural = rest.plural ?? `${kind.toLowerCase()}s`
    return Object.freeze({
      group: name,
      version,
      plural,
      singular: kind.toLowerCase(),
      kind,
      listKind: `${kind}List`,
      namespaced,
      shortNames: rest.shortNames ?? [],
      categories: rest.categories ?? [],
      subresources: rest.subresources ?? [],
    })
  }
}
