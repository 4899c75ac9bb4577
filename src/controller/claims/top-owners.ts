/**
 * Who manages pods at the top, read once for every ReplicaSet and Job.
 * @module
 */
import { resourceBehind, topBehind } from '../../compat/kubernetes/top-owner.ts'
import { topOwner } from '../../compat/spiderpool/selection/owner.ts'
import type { KubeApi } from '../../kube/api.ts'
import { KubeError } from '../../kube/errors.ts'
import type { PodLife } from '../../network/model/pod-life.ts'
import type { PodOwner } from '../../network/model/pool.ts'

const MOST_REMEMBERED = 20_000

/** Finds out who manages pods. */
export class TopOwners {
  readonly #api: KubeApi
  /** By uid. */
  readonly #known = new Map<string, PodOwner>()

  constructor(api: KubeApi) {
    this.#api = api
  }

  /** Undefined for a pod that nobody manages. */
  async of({ controller, namespace, templateHash }: PodLife): Promise<PodOwner | undefined> {
    const resource = controller && resourceBehind(controller)
    if (controller === undefined || resource === undefined) return controller
    const known = controller.uid === undefined ? undefined : this.#known.get(controller.uid)
    if (known !== undefined) return known
    const top = (await this.#read(controller, namespace)) ?? byName(controller, templateHash)
    if (controller.uid === undefined) return top
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear()
    this.#known.set(controller.uid, top)
    return top
  }

  /** Undefined when it is gone, or may not be read. */
  async #read(controller: PodOwner, namespace: string): Promise<PodOwner | undefined> {
    const resource = resourceBehind(controller)
    if (resource === undefined) return undefined
    try {
      const object = await this.#api.get(resource, { namespace, name: controller.name })
      const isSame = controller.uid === undefined || object?.metadata.uid === controller.uid
      return object !== undefined && isSame ? topBehind(controller, object) : undefined
    } catch (error) {
      if (error instanceof KubeError && error.code === 'KUBE_FORBIDDEN') return undefined
      throw error
    }
  }
}

/** As agents do, who ask nobody. */
function byName(controller: PodOwner, templateHash: string | undefined): PodOwner {
  const labels = templateHash === undefined ? {} : { 'pod-template-hash': templateHash }
  return topOwner({ controller, labels }) ?? controller
}
