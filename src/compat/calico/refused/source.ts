/**
 * Where objects are of which something is not done: in Kubernetes, where Calico keeps its own there.
 * @module
 */
import type { KubeApi } from '../../../kube/api.ts'
import { KubeError } from '../../../kube/errors.ts'
import { apiVersionOf, type KubeObject, type Resource } from '../../../kube/object.ts'
import { reflectPicked } from '../../../kube/reflector.ts'
import type { MapChange } from '../../../registry/reflect.ts'
import type { Refusal, RefusedKind } from './kinds.ts'

/** An object with what of it is not done. */
export interface Refused {
  /** What events are about: no more of it is kept. */
  readonly about: KubeObject
  readonly refusals: readonly Refusal[]
}

/** A place where such objects are. Of kinds that are not there it has none. */
export interface RefusedSource {
  /** Those of a kind that are there now. Rejects where nobody answers. */
  list(kind: RefusedKind): Promise<readonly Refused[]>
  /** Follows them until the signal aborts; resolves then. */
  follow(kind: RefusedKind, options: FollowOptions): Promise<void>
}

/** How they are followed. */
export interface FollowOptions {
  readonly signal: AbortSignal
  /** Called for each, and again when it is another than before, or nothing of it is refused any more. */
  onChange(refused: Refused, isThere: boolean): void
  onError(error: unknown): void
}

/** The same options for the map that a source is kept as. */
export function reflecting({ signal, onChange, onError }: FollowOptions) {
  const told = ({ type, object }: MapChange<{ readonly value: Refused }>): void =>
    onChange(object.value, type === 'put')
  return { signal, onChange: told, onError }
}

/** Those that a Kubernetes API has. */
export function refusedInKubernetes(api: KubeApi): RefusedSource {
  return {
    list: async (kind) => {
      try {
        const { items } = await api.list(kind.resource)
        return items.map((object) => refusedIn(kind, object)).filter(isRefused)
      } catch (error) {
        if (error instanceof KubeError && error.code === 'KUBE_NOT_FOUND') return []
        throw error
      }
    },
    follow: (kind, options) => {
      const pick = (object: KubeObject): Refused => refusedIn(kind, object)
      const { resource } = kind
      return reflectPicked(api, { resource, isOptional: true, pick, keep: isRefused }, reflecting(options)).done
    },
  }
}

/** What of an object is not done. */
export function refusedIn(kind: RefusedKind, object: KubeObject): Refused {
  return { about: aboutOf(kind.resource, object), refusals: kind.refusals(object) }
}

/** Whether something is. */
export function isRefused({ refusals }: Refused): boolean {
  return refusals.length > 0
}

/** All that is not done now, a kind after the other; those that cannot be asked for are left out. */
export async function refusedNow(
  sources: readonly RefusedSource[],
  kinds: readonly RefusedKind[],
): Promise<readonly Refused[]> {
  const found = new Map<string, readonly Refused[]>()
  for (const kind of [...kinds.filter(({ beside }) => beside === undefined), ...kinds.filter(isBeside)]) {
    const { resource, beside } = kind
    if (beside !== undefined && (found.get(beside.plural) ?? []).length === 0) continue
    const answers = await Promise.allSettled(sources.map((source) => source.list(kind)))
    found.set(
      resource.plural,
      answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : [])),
    )
  }
  return [...found.values()].flat()
}

function isBeside({ beside }: RefusedKind): boolean {
  return beside !== undefined
}

function aboutOf(resource: Resource, { metadata: { name, namespace, uid } }: KubeObject): KubeObject {
  const where = namespace === undefined ? { name } : { name, namespace }
  const metadata = uid === undefined ? where : { ...where, uid }
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata }
}
