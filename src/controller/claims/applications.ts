/**
 * Applications whose pods ask for pools of SpiderSubnets, as far as they are heard of: those of Kubernetes' own kinds by
 * their objects, others by the pods that they made.
 * @module
 */
import {
  APPLICATION_KINDS,
  type Application,
  applicationIn,
  applicationKey,
  isKnownKind,
} from '../../compat/spiderpool/subnet/application.ts'
import { type SubnetRequest, subnetRequestIn } from '../../compat/spiderpool/subnet/wish.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Picked } from '../../kube/reflector.ts'
import type { PodLife } from '../../network/model/pod-life.ts'
import type { MapChange } from '../../registry/reflect.ts'
import { Groups } from '../groups.ts'

/** What is kept of an object that may be an application. */
export interface ApplicationEntry {
  readonly app?: Application
}

/** What is kept of an object that may be an application. */
export function applicationEntry(object: KubeObject): ApplicationEntry {
  const kind = APPLICATION_KINDS.find(({ resource }) => resource.kind === object.kind)
  const app = kind && applicationIn(kind, object)
  return app === undefined ? {} : { app }
}

/** What its pods ask for on behalf of an application of a kind that nobody here knows. */
export interface AskingPod {
  readonly subnets?: SubnetRequest
}

/** What a pod asks for on behalf of what made it; nothing where that speaks for itself. */
export function askingIn(object: KubeObject, { controller }: PodLife): AskingPod {
  if (controller === undefined || isKnownKind(controller.apiVersion)) return {}
  const subnets = subnetRequestIn(object.metadata.annotations ?? {})
  return subnets === undefined ? {} : { subnets }
}

/** Applications by the key that {@link applicationKey} makes. */
export class Applications {
  readonly #apps = new Map<string, Application>()
  readonly #pods = new Groups()
  readonly #bySubnet = new Groups()

  get(key: string): Application | undefined {
    return this.#apps.get(key)
  }

  keys(): Iterable<string> {
    return this.#apps.keys()
  }

  /** Those that ask for a pool of a subnet. */
  askingFor(subnet: string): Iterable<string> {
    return this.#bySubnet.get(subnet)
  }

  /** Takes in what was heard of an object. The key of the application that it is, or was. */
  object({ type, object, before }: MapChange<Picked<ApplicationEntry>>): string | undefined {
    const app = type === 'put' ? object.value.app : undefined
    const old = before?.value.app
    const known = app ?? old
    if (known === undefined) return undefined
    const key = applicationKey(known)
    this.#set(key, app)
    return key
  }

  /** Takes in what was heard of a pod. The key of the application that it speaks for, or spoke for. */
  pod({ type, object, before }: MapChange<Picked<PodLife & AskingPod>>): string | undefined {
    const pod = type === 'put' && object.value.phase !== 'Ended' ? object.value : undefined
    const key = keyOf(pod) ?? keyOf(before?.value)
    if (key === undefined) return undefined
    if (pod?.subnets !== undefined) this.#pods.add(key, object.name)
    else this.#pods.delete(key, object.name)
    if (pod?.subnets !== undefined) this.#set(key, appOf(pod, pod.subnets))
    else if (this.#pods.get(key).size === 0) this.#set(key, undefined)
    return key
  }

  #set(key: string, app: Application | undefined): void {
    for (const subnet of subnetsOf(this.#apps.get(key))) this.#bySubnet.delete(subnet, key)
    if (app === undefined) this.#apps.delete(key)
    else this.#apps.set(key, app)
    for (const subnet of subnetsOf(app)) this.#bySubnet.add(subnet, key)
  }
}

function subnetsOf(app: Application | undefined): readonly string[] {
  return app !== undefined && 'wish' in app.request ? app.request.wish.pools.map(({ subnet }) => subnet) : []
}

function keyOf(pod: (PodLife & AskingPod) | undefined): string | undefined {
  const app = pod?.subnets && appOf(pod, pod.subnets)
  return app && applicationKey(app)
}

function appOf({ namespace, controller }: PodLife, request: SubnetRequest): Application | undefined {
  if (controller === undefined) return undefined
  const { apiVersion, kind, name, uid = '' } = controller
  return { apiVersion, kind, namespace, name, uid, request }
}
