/**
 * What the store holds: objects as text, and the changes that made them so.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'

/** What selectors can ask of an object, taken out of it once. */
export interface Traits {
  readonly labels: Readonly<Record<string, string>>
  /** Values of the fields that this resource can be selected by; an absent one is empty. */
  readonly fields: Readonly<Record<string, string>>
}

/** An object as it is kept. Its text holds its revision as `metadata.resourceVersion`. */
export interface Entry extends Traits {
  readonly namespace: string
  readonly name: string
  /** `namespace/name`, or `/name` outside namespaces: the order of lists. */
  readonly key: string
  readonly revision: number
  readonly text: string
}

/** One change of one object. Every revision is exactly one. */
export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly revision: number
  /** When, in milliseconds since 1970. */
  readonly at: number
  /** `group/plural`: where the object is kept, whatever version it is asked for in. */
  readonly collection: string
  /** As it is now; of a deleted object, as it was last, with the revision of its deletion. */
  readonly entry: Entry
  /** As it was before. */
  readonly previous: Entry | undefined
}

/** Takes out of an object what selectors ask for. */
export type TraitsOf = (collection: string, object: KubeObject) => Traits

/** The order of lists and the name in the index. */
export function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`
}

/** Where objects of a resource are kept. */
export function collectionOf({ group, plural }: { readonly group: string; readonly plural: string }): string {
  return `${group}/${plural}`
}

/** An object of the store, parsed. The store wrote the text itself. */
export function objectOf(entry: Entry): KubeObject {
  return JSON.parse(entry.text)
}
