/**
 * What all calls on Neutron have in common: paths, single objects, lists page by page.
 * @module
 */
import { Decoder, type Fields, isFields, isId } from '../decode.ts'
import { garbage, invalid, OpenStackError, shown } from '../errors.ts'
import type { NeutronCall, OpenStackSession } from '../session.ts'

/** A call about one object. */
export interface ObjectCall extends Omit<NeutronCall, 'isSafe'> {
  /** Where the object is in request and answer: `port`. */
  readonly key: string
  readonly isSafe?: boolean
}

/** A call for a list. */
export interface ListCall {
  /** `/ports`. */
  readonly path: string
  readonly key: string
  readonly query: readonly (readonly [string, string])[]
  readonly doing: string
  readonly signal?: AbortSignal | undefined
}

/** Objects in one answer. A server may have a limit of its own below it. */
const PAGE = 500
const MOST_PAGES = 2_000
/** How often a list is begun anew because the place it stopped at is gone. */
const MOST_STARTS = 5

/** Calls in the name of one account. */
export class NeutronCalls {
  readonly #session: OpenStackSession

  constructor(session: OpenStackSession) {
    this.#session = session
  }

  /** The account's project. */
  projectId(): Promise<string | undefined> {
    return this.#session.projectId()
  }

  /** A call, and its answer's object. */
  async one(call: ObjectCall): Promise<Fields> {
    const { key, isSafe = call.method !== 'POST', ...rest } = call
    const answer = await this.#session.neutron({ ...rest, isSafe })
    const decoder = new Decoder('Neutron', `${/^[aeiou]/.test(key) ? 'an' : 'a'} ${key}`)
    const body = decoder.fields(decoder.json(answer.text))
    // Some actions answer with the bare object.
    const inner = body[key]
    return isFields(inner) ? inner : decoder.fields(typeof body['id'] === 'string' ? body : inner)
  }

  /** A call whose answer holds a list. */
  async many(call: ObjectCall): Promise<readonly Fields[]> {
    const { key, isSafe = call.method !== 'POST', ...rest } = call
    const { text } = await this.#session.neutron({ ...rest, isSafe })
    return objectsIn(text, key).objects
  }

  /** A call whose answer does not matter. */
  async run(call: NeutronCall): Promise<void> {
    await this.#session.neutron(call)
  }

  /** Deletes; false where nothing was. */
  async remove(call: Omit<NeutronCall, 'method' | 'isSafe'>): Promise<boolean> {
    try {
      await this.#session.neutron({ ...call, method: 'DELETE', isSafe: true })
      return true
    } catch (error) {
      if (error instanceof OpenStackError && error.code === 'OPENSTACK_NOT_FOUND') return false
      throw error
    }
  }

  /** All objects of a list, each once. */
  async list(call: ListCall): Promise<readonly Fields[]> {
    for (let start = 1; ; start += 1) {
      const objects = await this.#pages(call)
      if (objects !== undefined) return objects
      if (start === MOST_STARTS) {
        const remedy = 'see what deletes them that fast'
        throw new OpenStackError('OPENSTACK_UNAVAILABLE', `Neutron's ${call.key} go while they are listed`, remedy)
      }
    }
  }

  /** Undefined where whoever was last on a page is gone: Neutron cannot go on from there. */
  async #pages({ path, key, query, doing, signal }: ListCall): Promise<readonly Fields[] | undefined> {
    const byId = new Map<string, Fields>()
    let marker: string | undefined
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const asked = new URLSearchParams({ limit: String(PAGE), ...(marker === undefined ? {} : { marker }) })
      for (const [name, value] of query) asked.append(name, value)
      const call = { method: 'GET', path: `${path}?${asked}`, doing, isSafe: true, signal } as const
      const answer = await this.#session.neutron(call).catch((error: unknown) => {
        const isGone = error instanceof OpenStackError && error.code === 'OPENSTACK_NOT_FOUND'
        if (marker === undefined || !isGone) throw error
        return undefined
      })
      if (answer === undefined) return undefined
      const { objects, hasMore } = objectsIn(answer.text, key)
      const before = byId.size
      for (const object of objects) byId.set(idIn(object, key), object)
      if (!hasMore || objects.length === 0) return [...byId.values()]
      if (byId.size === before) throw garbage('Neutron', `the same page of ${key} again and again`)
      marker = idIn(objects.at(-1) ?? {}, key)
    }
    throw garbage('Neutron', `a list of ${key} without an end`)
  }
}

/** A part of a path. Throws for what could be another path. */
export function pathId(id: string, what: string): string {
  if (isId(id)) return id
  throw invalid(`${shown(id)} is no ID of a ${what}`, 'copy the ID from the output of the openstack client')
}

function objectsIn(text: string, key: string): { readonly objects: readonly Fields[]; readonly hasMore: boolean } {
  const decoder = new Decoder('Neutron', `a list of ${key}`)
  const body = decoder.fields(decoder.json(text))
  const objects = decoder.list(body, key).map((item) => decoder.fields(item))
  // The link's host may be one that only the cloud knows: that there is one is enough.
  const links = body[`${key}_links`]
  const hasMore = Array.isArray(links) && links.some((link: unknown) => isFields(link) && link['rel'] === 'next')
  return { objects, hasMore }
}

function idIn(object: Fields, key: string): string {
  return new Decoder('Neutron', `a list of ${key}`).id(object, 'id')
}
