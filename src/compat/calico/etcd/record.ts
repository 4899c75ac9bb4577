/**
 * A value of Calico's etcd, read as the same object is read from Kubernetes.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { decodeValue } from '../../../registry/codec.ts'
import type { Kinds } from '../../../registry/registry.ts'
import { at, optionalField } from '../../fields.ts'
import { parseGoObject } from '../../k8s-ovs/go-object.ts'
import { bindingOf, type CalicoKind, type CalicoName, CLOSING_KINDS } from './layout.ts'

/** What a record says, or why it cannot be read. */
export type CalicoRecord<K extends CalicoKind> =
  | { readonly name: string; readonly value: Kinds[K]; readonly problem?: undefined }
  /** `closed`: what counts where nobody knows what it said before: a policy that denies, a set of which nothing is known. */
  | { readonly name: string; readonly closed: Kinds[K] | undefined; readonly problem: string }

/** Reads the record of an object of this name. The key says what it is called, whatever is in the value. Never throws. */
export function readRecord<K extends CalicoKind>(kind: K, named: CalicoName, text: string): CalicoRecord<K> {
  const object = parseGoObject(text)
  const name = named.namespace === undefined ? named.name : `${named.namespace}/${named.name}`
  try {
    if (object === undefined) throw new TypeError('it is not a JSON object')
    return { name, value: decoded(kind, name, objectOf(kind, named, object)) }
  } catch (error) {
    const problem = error instanceof Error ? error.message : 'it cannot be read'
    return { name, closed: closedOf(kind, name, named), problem }
  }
}

function closedOf<K extends CalicoKind>(kind: K, name: string, named: CalicoName): Kinds[K] | undefined {
  if (!CLOSING_KINDS.has(kind)) return undefined
  try {
    return decoded(kind, name, objectOf(kind, named, { spec: 'what cannot be read' }))
  } catch {
    return undefined
  }
}

function decoded<K extends CalicoKind>(kind: K, name: string, object: KubeObject): Kinds[K] {
  const { decode, fieldOf } = bindingOf(kind)
  return decodeValue(kind, name, decode(object), fieldOf)
}

function objectOf(kind: CalicoKind, { namespace, name }: CalicoName, object: object): KubeObject {
  const { resource } = bindingOf(kind)
  const metadata = { ...Object(at(object, 'metadata')), name, ...optionalField('namespace', namespace) }
  return { ...object, apiVersion: 'projectcalico.org/v3', kind: resource.kind, metadata }
}
