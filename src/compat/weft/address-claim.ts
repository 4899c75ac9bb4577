/**
 * That an address is somebody's, as `weft.dev/v1` AddressClaim. Its name is the lock: creating it is the only call that
 * an attachment waits for (docs/adr/0024).
 * @module
 */
import { createHash } from 'node:crypto'
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import { type AddressClaim, claimName } from '../../network/model/pool.ts'
import { at, listAt, nameOf, optionalField } from '../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../merge.ts'

export const ADDRESS_CLAIMS: Resource = {
  group: 'weft.dev',
  version: 'v1',
  plural: 'addressclaims',
  kind: 'AddressClaim',
  namespaced: false,
}

/** Labels of claims: `kubectl get addressclaims -l weft.dev/node=node-1`. Values are made by {@link labelValue}. */
export const CLAIM_LABELS = {
  pool: 'weft.dev/pool',
  namespace: 'weft.dev/namespace',
  pod: 'weft.dev/pod',
  node: 'weft.dev/node',
  podUid: 'weft.dev/pod-uid',
  containerId: 'weft.dev/sandbox',
} as const

/** AddressClaim ↔ AddressClaim. One that cannot be read is none, and its name is taken all the same. */
export const addressClaimBinding: KubeBinding<'AddressClaim'> = {
  resource: ADDRESS_CLAIMS,
  isOptional: true,
  place: clusterPlace,
  nameOf,
  decode,
  encode: (claim) => objectOf(ADDRESS_CLAIMS, clusterPlace(claimName(claim.address)), patch(claim)),
  patch,
}

/** A text as the value of a label: itself, or where it cannot be one its beginning and a part of its hash. */
export function labelValue(text: string): string {
  if (LABEL_VALUE.test(text)) return text
  const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH)
  const head = text
    .replace(/[^A-Za-z0-9_.-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, MOST_OF_A_LABEL - HASH_LENGTH - 1)
  return head === '' ? hash : `${head}-${hash}`
}

const MOST_OF_A_LABEL = 63
const HASH_LENGTH = 12
const LABEL_VALUE = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/

function decode(object: KubeObject): unknown {
  const field = (...path: readonly string[]): unknown => at(object, 'spec', ...path)
  const owner = field('owner')
  return {
    address: field('address'),
    prefix: field('prefixLength'),
    pool: field('pool'),
    namespace: field('namespace'),
    pod: field('pod'),
    podUid: field('podUID'),
    ifname: field('interface'),
    containerId: field('sandbox'),
    node: field('node'),
    ...optionalField('owner', owner === undefined ? undefined : ownerIn(owner)),
    isSticky: field('sticky') ?? false,
    ...optionalField('gateway', field('gateway')),
    routes: listAt(object, 'spec', 'routes').map((route) => ({
      destination: at(route, 'dst'),
      gateway: at(route, 'gw'),
    })),
    hasCleanGateway: field('cleanGateway') ?? false,
  }
}

function ownerIn(owner: unknown): unknown {
  const [apiVersion, kind, name] = ['apiVersion', 'kind', 'name'].map((key) => at(owner, key))
  return { apiVersion, kind, name, ...optionalField('uid', at(owner, 'uid')) }
}

function patch(claim: AddressClaim): MergePatch {
  const { owner, gateway, routes } = claim
  const labels = Object.entries(CLAIM_LABELS).map(([field, label]) => [
    label,
    labelValue(claim[field as keyof typeof CLAIM_LABELS]),
  ])
  return {
    metadata: { labels: Object.fromEntries(labels) },
    spec: {
      address: claim.address,
      prefixLength: claim.prefix,
      pool: claim.pool,
      namespace: claim.namespace,
      pod: claim.pod,
      podUID: claim.podUid,
      interface: claim.ifname,
      sandbox: claim.containerId,
      node: claim.node,
      owner: owner === undefined ? null : { ...owner, uid: owner.uid ?? null },
      sticky: claim.isSticky,
      gateway: gateway ?? null,
      routes: routes.length === 0 ? null : routes.map(({ destination, gateway: gw }) => ({ dst: destination, gw })),
      cleanGateway: claim.hasCleanGateway,
    },
  }
}
