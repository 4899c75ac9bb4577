/**
 * Gives back addresses that are held for nobody. Each is looked at once more before it goes, and goes only as it was.
 * @module
 */
import { podLifeIn, podSetIn } from '../../compat/kubernetes/pod-life.ts'
import { ADDRESS_CLAIMS } from '../../compat/weft/address-claim.ts'
import { judgeClaim } from '../../ipam/claim-verdict.ts'
import type { KubeApi } from '../../kube/api.ts'
import { KubeError } from '../../kube/errors.ts'
import { PODS, STATEFUL_SETS } from '../../kube/resources.ts'
import type { IpamFinding } from './findings.ts'
import type { IpamView, ListedClaim } from './view.ts'

/** What became of a claim. */
export interface Returned {
  readonly name: string
  readonly done: boolean
  readonly message: string
}

/** Gives back what findings tell of, one after the other. */
export async function giveBack(
  api: KubeApi,
  view: IpamView,
  findings: readonly IpamFinding[],
): Promise<readonly Returned[]> {
  const byPod = Map.groupBy(view.claims, ({ value }) => `${value.namespace}/${value.pod}`)
  const results: Returned[] = []
  for (const { claim } of findings) if (claim !== undefined) results.push(await giveBackOne(api, byPod, claim))
  return results
}

async function giveBackOne(
  api: KubeApi,
  byPod: ReadonlyMap<string, readonly ListedClaim[]>,
  claim: ListedClaim,
): Promise<Returned> {
  const { name, uid, resourceVersion, value } = claim
  const { namespace, pod, owner } = value
  const [livePod, liveSet] = await Promise.all([
    api.get(PODS, { namespace, name: pod }),
    owner?.kind === 'StatefulSet' ? api.get(STATEFUL_SETS, { namespace, name: owner.name }) : undefined,
  ])
  const all = byPod.get(`${namespace}/${pod}`) ?? []
  const verdict = judgeClaim(claim, {
    pod: livePod && podLifeIn(livePod),
    set: liveSet && podSetIn(liveSet),
    all,
    now: Date.now(),
  })
  if (verdict.is === 'kept') return { name, done: false, message: 'it is somebody’s after all' }
  try {
    await api.delete(ADDRESS_CLAIMS, { name }, { uid, resourceVersion })
    return { name, done: true, message: `${value.address} is given back` }
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    if (error.code === 'KUBE_NOT_FOUND') return { name, done: true, message: `${value.address} was given back already` }
    if (error.code === 'KUBE_CONFLICT') return { name, done: false, message: 'it changed meanwhile' }
    throw error
  }
}
