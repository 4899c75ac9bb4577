/**
 * Tags: words on an object by which its owner finds it again. Source: Networking API v2.0, "Standard Attributes Tag Extension".
 * @module
 */
import { invalid, shown } from '../errors.ts'
import { type NeutronCalls, pathId } from './call.ts'

/** Kinds of objects that have tags. */
export type Tagged = 'networks' | 'ports' | 'routers' | 'security-groups' | 'subnets' | 'trunks'

/** Characters in a tag at most: later releases allow more, none less. */
export const LONGEST_TAG = 60

/** Tags of any object. */
export class Tags {
  readonly #calls: NeutronCalls

  constructor(calls: NeutronCalls) {
    this.#calls = calls
  }

  /** Gives it these tags and no others. */
  async replace(kind: Tagged, id: string, tags: readonly string[]): Promise<void> {
    const path = `/${kind}/${pathId(id, kind)}/tags`
    const doing = `set the tags of ${id} in ${kind}`
    return this.#calls.run({ method: 'PUT', path, body: { tags: tags.map(checkedTag) }, doing, isSafe: true })
  }

  /** Adds one. */
  async add(kind: Tagged, id: string, tag: string): Promise<void> {
    const path = `/${kind}/${pathId(id, kind)}/tags/${encodeURIComponent(checkedTag(tag))}`
    return this.#calls.run({ method: 'PUT', path, doing: `add a tag to ${id} in ${kind}`, isSafe: true })
  }

  /** Takes one away; false where it was not there. */
  async remove(kind: Tagged, id: string, tag: string): Promise<boolean> {
    const path = `/${kind}/${pathId(id, kind)}/tags/${encodeURIComponent(checkedTag(tag))}`
    return this.#calls.remove({ path, doing: `remove a tag of ${id} in ${kind}` })
  }
}

/** A tag that Neutron takes. A comma would part it in filters, a slash in paths. */
export function checkedTag(tag: string): string {
  if (/^[^,/\s]+$/.test(tag) && tag.length <= LONGEST_TAG) return tag
  throw invalid(
    `${shown(tag)} cannot be a tag`,
    `use 1 to ${LONGEST_TAG} characters without commas, slashes and spaces`,
  )
}
