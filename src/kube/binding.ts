/**
 * How a kind of shared state is kept as objects of the Kubernetes API. The translation itself is the business of the
 * rooms that know those objects (compat/).
 * @module
 */
import type { Kind, Kinds } from '../registry/registry.ts'
import type { ObjectName } from './api.ts'
import type { KubeObject, Resource } from './object.ts'

/** One kind's translation. */
export interface KubeBinding<K extends Kind> {
  readonly resource: Resource
  /** A server may be without this resource: then there is nothing of the kind, and that is nobody's mistake. */
  readonly isOptional?: boolean
  /** One that cannot be read stays what it last was, as far as that is known: sessions rest on it. Else it counts as absent. */
  readonly keepsLast?: boolean
  /** Where the object of this name is kept. */
  place(name: string): ObjectName
  /** The name that an object has in the registry; undefined for one that is none of this kind. */
  nameOf(object: KubeObject): string | undefined
  /**
   * What a place in the value is called in the object (`spec.peerIP` for `address`): those who wrote it are told of what is wrong
   * there, and of the kind by its resource's name. Absent: they are told in the model's words.
   */
  readonly fieldOf?: (path: string) => string
  /** The value in an object, still to be validated. */
  decode(object: KubeObject): unknown
  /** The object for a new value. */
  encode(value: Kinds[K]): KubeObject
  /** The merge patch that makes an existing object hold this value and leaves what others keep in it. */
  patch(value: Kinds[K]): Readonly<Record<string, unknown>>
  /** Where what the patch leaves out is written by another call, such as `status`. */
  readonly statusPatch?: (value: Kinds[K]) => Readonly<Record<string, unknown>>
}

/** Every kind's translation. */
export type KubeBindings = { readonly [K in Kind]: KubeBinding<K> }
