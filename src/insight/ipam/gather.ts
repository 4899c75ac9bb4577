/**
 * Asks an API server what it knows of addresses.
 * @module
 */
import { weftBindings } from '../../compat/bindings.ts'
import { at, listAt, optionalField, textAt } from '../../compat/fields.ts'
import { podLifeIn, podSetIn } from '../../compat/kubernetes/pod-life.ts'
import { SPIDER_ENDPOINTS, SPIDER_IP_POOLS, SPIDER_RESERVED_IPS } from '../../compat/spiderpool/resources.ts'
import { ADDRESS_CLAIMS } from '../../compat/weft/address-claim.ts'
import { claimObjectOf } from '../../compat/weft/claim-object.ts'
import { poolProblemTexts } from '../../ipam/pool-problems.ts'
import type { KubeApi } from '../../kube/api.ts'
import { KubeError } from '../../kube/errors.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import { keyOf } from '../../kube/reflector.ts'
import { PODS, STATEFUL_SETS } from '../../kube/resources.ts'
import { decodeAddressPool, decodeReservedAddresses } from '../../network/model/validate-pool.ts'
import type { IpamView, ListedClaim, ListedEndpoint, ListedPool } from './view.ts'

/** What is known now. Claims are asked for first: whoever has one was there before. Throws a KubeError. */
export async function gatherIpam(api: KubeApi): Promise<IpamView> {
  const claims = await listOf(api, ADDRESS_CLAIMS, (object) => ({
    name: object.metadata.name,
    ...claimObjectOf(object),
  }))
  const [pods, sets, endpoints, pools, reserved] = await Promise.all([
    listOf(api, PODS, (object) => [keyOf(object), podLifeIn(object)] as const),
    listOf(api, STATEFUL_SETS, (object) => [keyOf(object), podSetIn(object)] as const),
    listOf(api, SPIDER_ENDPOINTS, (object) => [keyOf(object), endpointIn(object)] as const),
    listOf(api, SPIDER_IP_POOLS, poolIn),
    listOf(api, SPIDER_RESERVED_IPS, (object) =>
      decodeReservedAddresses(weftBindings.ReservedAddresses.decode(object)),
    ),
  ])
  return {
    now: Date.now(),
    claims: claims.flatMap(({ name, uid, resourceVersion, createdAt, claim }): readonly ListedClaim[] =>
      claim.is === 'none'
        ? []
        : [{ name, uid, resourceVersion, revision: Number(resourceVersion), since: createdAt, value: claim.value }],
    ),
    unreadable: claims.flatMap(({ name, claim }) => (claim.is === 'none' ? [{ name, why: claim.why }] : [])),
    pods: new Map(pods),
    sets: new Map(sets),
    endpoints: new Map(endpoints),
    pools: withProblems(pools.flat()),
    reserved: reserved.flatMap((decoded) => (decoded.ok ? [decoded.value] : [])),
  }
}

/** A collection; nothing where the server does not have it. */
async function listOf<T>(api: KubeApi, resource: Resource, pick: (object: KubeObject) => T): Promise<readonly T[]> {
  try {
    if (api.listAs !== undefined) return (await api.listAs(resource, {}, pick)).items
    return (await api.list(resource)).items.map(pick)
  } catch (error) {
    if (error instanceof KubeError && error.code === 'KUBE_NOT_FOUND') return []
    throw error
  }
}

function poolIn(object: KubeObject): readonly ListedPool[] {
  const decoded = decodeAddressPool(weftBindings.AddressPool.decode(object))
  const told = {
    ...optionalField('total', numberAt(object, 'totalIPCount')),
    ...optionalField('allocated', numberAt(object, 'allocatedIPCount')),
  }
  return decoded.ok ? [{ pool: decoded.value, told }] : []
}

function withProblems(pools: readonly ListedPool[]): ReadonlyMap<string, ListedPool> {
  const refused = poolProblemTexts(pools.map(({ pool }) => pool))
  return new Map(
    pools.map((listed) => {
      const { name, problem } = listed.pool
      return [name, { ...listed, ...optionalField('problem', problem ?? refused.get(name)) }]
    }),
  )
}

function numberAt(object: KubeObject, key: string): number | undefined {
  const value = at(object, 'status', key)
  return typeof value === 'number' ? value : undefined
}

function endpointIn(object: KubeObject): ListedEndpoint {
  const addresses = listAt(object, 'status', 'current', 'ips').flatMap((one) =>
    ['ipv4', 'ipv6'].flatMap((family) => {
      const address = textAt(one, family)?.split('/')[0]
      return address === undefined ? [] : [`${textAt(one, 'interface') ?? ''} ${address}`]
    }),
  )
  return { addresses }
}
