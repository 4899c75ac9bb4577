/**
 * Keeps one SpiderEndpoint for every pod that has a claim, and none for others.
 * @module
 */
import { decideEndpoint, type EndpointFacts, type EndpointObject } from '../../compat/spiderpool/endpoint/endpoint.ts'
import { toldAddresses } from '../../compat/spiderpool/endpoint/told.ts'
import { SPIDER_ENDPOINTS } from '../../compat/spiderpool/resources.ts'
import { isOf, isSticky } from '../../ipam/claim-verdict.ts'
import type { KubeApi } from '../../kube/api.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Ip } from '../../network/model/address.ts'
import type { PodLife } from '../../network/model/pod-life.ts'
import { claimName, type PodOwner } from '../../network/model/pool.ts'
import type { ClaimIndex, IndexedClaim } from './claim-index.ts'
import { metadataKept, unlessOvertaken } from './objects.ts'
import { TopOwners } from './top-owners.ts'

/** What endpoints are kept with. */
export interface EndpointParts {
  readonly api: KubeApi
  readonly claims: ClaimIndex
  /** What was heard, by `<namespace>/<name>`. */
  pod(key: string): PodLife | undefined
  endpoint(key: string): EndpointObject | undefined
  /** Whether an address is one that Spiderpool gave out of a pool and nobody has settled. */
  hasForeign(pool: string, address: Ip): boolean
}

const ADOPTING_MS = 1_000

/** What is kept of an endpoint's object. */
export function endpointEntry({ metadata, status }: KubeObject): EndpointObject {
  return { metadata: metadataKept(metadata), status }
}

/** Keeps endpoints. */
export class EndpointKeeper {
  readonly #parts: EndpointParts
  readonly #tops: TopOwners

  constructor(parts: EndpointParts) {
    this.#parts = parts
    this.#tops = new TopOwners(parts.api)
  }

  /** Brings the endpoint `<namespace>/<name>` in line. A number: again after so many milliseconds. */
  async lookAfter(key: string): Promise<number | undefined> {
    const { claims, pod, endpoint } = this.#parts
    if (this.#isSource(endpoint(key))) return ADOPTING_MS
    const all = claims.ofPod(key)
    const life = pod(key)
    const facts = all.length === 0 ? undefined : await this.#factsOf(key, all, life)
    // Whose pod nobody knows yet has none yet, and keeps the one that it has.
    if (facts === undefined && all.length > 0) return undefined
    const call = decideEndpoint(facts, endpoint(key))
    if (call === undefined) return undefined
    await this.#make(key, call, endpoint(key)).catch(unlessOvertaken)
    return undefined
  }

  /** What Spiderpool told is read until claims are made of it. */
  #isSource(endpoint: EndpointObject | undefined): boolean {
    const { claims, hasForeign } = this.#parts
    return toldAddresses(endpoint).some(
      ({ address, pool }) => claims.get(claimName(address)) === undefined && hasForeign(pool, address),
    )
  }

  async #factsOf(
    key: string,
    all: readonly IndexedClaim[],
    life: PodLife | undefined,
  ): Promise<EndpointFacts | undefined> {
    const current = currentClaims(all, life)
    const [first] = current
    if (first === undefined) return undefined
    const { owner } = first.value
    const isHere = life !== undefined && isOf(first.value, life)
    const staysBehind = isSticky(first.value)
    if (!isHere && !staysBehind) return undefined
    const top: PodOwner | undefined = isHere ? await this.#tops.of(life) : owner
    const slash = key.indexOf('/')
    return {
      namespace: key.slice(0, slash),
      name: key.slice(slash + 1),
      claims: current.map(({ value }) => value),
      top,
      ownerUid: staysBehind ? undefined : life?.uid,
    }
  }

  async #make(key: string, call: Exclude<ReturnType<typeof decideEndpoint>, undefined>, object?: EndpointObject) {
    const { api } = this.#parts
    const slash = key.indexOf('/')
    const at = { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
    const { uid, resourceVersion } = object?.metadata ?? {}
    const patch = async (part: Readonly<Record<string, unknown>>): Promise<void> => {
      const metadata = { ...(part['metadata'] as object | undefined), resourceVersion }
      await api.patch(SPIDER_ENDPOINTS, at, 'merge', { ...part, metadata })
    }
    if (call.op === 'create') await api.create(SPIDER_ENDPOINTS, call.object)
    else if (call.op === 'patch') await patch(call.patch)
    else {
      if (call.release !== undefined) await patch(call.release)
      if (object?.metadata.deletionTimestamp === undefined)
        await api.delete(SPIDER_ENDPOINTS, at, uid === undefined ? {} : { uid })
    }
  }
}

/** The claims of one pod uid: of the pod that is there, else of whichever wrote last. */
function currentClaims(all: readonly IndexedClaim[], life: PodLife | undefined): readonly IndexedClaim[] {
  const own = life === undefined ? [] : all.filter(({ value }) => isOf(value, life))
  if (own.length > 0) return own
  const newest = all.reduce((latest, one) => (one.revision > latest.revision ? one : latest), all[0] as IndexedClaim)
  return all.filter(({ value }) => value.podUid === newest.value.podUid)
}
