/**
 * The Kubernetes API over HTTP.
 * @module
 */
import type { DeleteOptions, KubeApi, KubeEvent, KubeList, ObjectName, PatchType, Selection } from './api.ts'
import type { KubeConfig } from './config.ts'
import { decodeObject, decodePageHead, garbage, type Page } from './decode.ts'
import { Discovery } from './discovery.ts'
import { KubeError } from './errors.ts'
import { Gate } from './gate.ts'
import { type HttpOptions, HttpTransport } from './http.ts'
import { apiVersionOf, type KubeObject, type Resource } from './object.ts'
import { collectionPath, objectPath, requiredNamespace } from './path.ts'
import { followWatch, type WatchOptions } from './watch.ts'

/** How a {@link KubeClient} behaves. */
export interface KubeClientOptions extends HttpOptions, WatchOptions {
  /** Objects per page of a list. 500 when absent. */
  readonly pageSize?: number
}

const PAGE_SIZE = 500
const LISTS_AT_A_TIME = 2
/** A list that the server forgot between two pages starts anew; after so many times it is asked for in one piece. */
const MOST_RESTARTS = 3
/** Ten million objects; a server that goes on is broken. */
const MOST_PAGES = 20_000

const CONTENT_TYPES: { readonly [T in PatchType]: string } = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
}

/** The Kubernetes API over HTTP. JSON only; answers are checked before they are believed. */
export class KubeClient implements KubeApi {
  readonly #http: HttpTransport
  readonly #options: KubeClientOptions
  /** After an outage everything is listed at once: not from here. */
  readonly #lists = new Gate(LISTS_AT_A_TIME)

  /** What the server has. */
  readonly discovery: Discovery

  constructor(config: KubeConfig, options: KubeClientOptions = {}) {
    this.#http = new HttpTransport(config, options)
    this.#options = options
    this.discovery = new Discovery((path, signal) => this.#http.json({ method: 'GET', path, signal }))
  }

  /** Gives back idle connections; calls in flight finish. */
  close(): void {
    this.#http.close()
  }

  serves(resource: Resource): Promise<boolean> {
    return this.discovery.serves(resource)
  }

  async get(resource: Resource, at: ObjectName, signal?: AbortSignal): Promise<KubeObject | undefined> {
    try {
      return decodeObject(await this.#http.json({ method: 'GET', path: objectPath(resource, at), signal }), resource)
    } catch (error) {
      if (error instanceof KubeError && error.code === 'KUBE_NOT_FOUND') return undefined
      throw error
    }
  }

  list(resource: Resource, selection: Selection = {}, signal?: AbortSignal, atLeast?: string): Promise<KubeList> {
    return this.listAs(resource, selection, (object) => object, signal, atLeast)
  }

  async listAs<T>(
    resource: Resource,
    selection: Selection,
    pick: (object: KubeObject) => T,
    signal?: AbortSignal,
    atLeast?: string,
  ): Promise<Picked<T>> {
    using _turn = await this.#lists.enter()
    const request = { resource, selection, signal, pick }
    if (atLeast !== undefined) return await this.#whole(request, atLeast)
    for (let attempt = 1; ; attempt += 1) {
      try {
        const isWhole = attempt > MOST_RESTARTS || selection.fieldSelector !== undefined
        return isWhole ? await this.#whole(request) : await this.#pages(request)
      } catch (error) {
        const code = error instanceof KubeError ? error.code : undefined
        if (code === 'KUBE_NOT_FOUND') throw this.#notServed(resource, error)
        if (code !== 'KUBE_EXPIRED' || attempt > MOST_RESTARTS) throw error
      }
    }
  }

  /** A namespace that is not there has empty collections: only one of no namespace at all is not found. */
  #notServed(resource: Resource, cause: unknown): KubeError {
    this.discovery.forget(resource)
    const message = `the API server has no ${resource.plural} of ${apiVersionOf(resource)}`
    return new KubeError('KUBE_NOT_FOUND', message, 'install the CustomResourceDefinition, or a later Kubernetes', {
      status: 404,
      cause,
    })
  }

  async *watch(
    resource: Resource,
    selection: Selection,
    after: string,
    signal: AbortSignal,
  ): AsyncGenerator<KubeEvent, void> {
    yield* followWatch({ http: this.#http, resource, selection, after, signal, options: this.#options })
  }

  async create(resource: Resource, object: KubeObject, signal?: AbortSignal): Promise<KubeObject> {
    const path = collectionPath(resource, requiredNamespace(resource, object.metadata))
    return decodeObject(await this.#http.json({ method: 'POST', path, body: object, signal }), resource)
  }

  async createDry(resource: Resource, object: KubeObject, signal?: AbortSignal): Promise<KubeObject> {
    const path = collectionPath(resource, requiredNamespace(resource, object.metadata))
    const request = { method: 'POST', path, query: { dryRun: 'All' }, body: object, signal } as const
    return decodeObject(await this.#http.json(request), resource)
  }

  async replace(
    resource: Resource,
    object: KubeObject,
    subresource?: string,
    signal?: AbortSignal,
  ): Promise<KubeObject> {
    const path = objectPath(resource, object.metadata, subresource)
    return decodeChanged(await this.#http.json({ method: 'PUT', path, body: object, signal }), resource, subresource)
  }

  async patch(
    resource: Resource,
    at: ObjectName,
    type: PatchType,
    patch: unknown,
    subresource?: string,
    signal?: AbortSignal,
  ): Promise<KubeObject> {
    const path = objectPath(resource, at, subresource)
    const request = { method: 'PATCH', path, body: patch, contentType: CONTENT_TYPES[type], signal } as const
    return decodeChanged(await this.#http.json(request), resource, subresource)
  }

  async post(
    resource: Resource,
    at: ObjectName,
    subresource: string,
    body: KubeObject,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#http.json({ method: 'POST', path: objectPath(resource, at, subresource), body, signal })
  }

  async delete(resource: Resource, at: ObjectName, options: DeleteOptions = {}, signal?: AbortSignal): Promise<void> {
    const { gracePeriodSeconds, propagation, uid, resourceVersion } = options
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
      ...(uid === undefined && resourceVersion === undefined ? {} : { preconditions: { uid, resourceVersion } }),
    }
    await this.#http.json({ method: 'DELETE', path: objectPath(resource, at), body, signal })
  }

  /**
   * All in one piece. What must only be as new as something known is given out of the server's memory; since 1.31 so is
   * a choice by a field, such as one node's pods, of which a page would make the server go through everybody's.
   */
  async #whole<T>(request: ListRequest<T>, atLeast?: string): Promise<Picked<T>> {
    const match = atLeast === undefined ? {} : { resourceVersion: atLeast, resourceVersionMatch: 'NotOlderThan' }
    const items: T[] = []
    const { resourceVersion, next } = await this.#page(request, match, items)
    if (next === undefined) return { resourceVersion, items }
    throw garbage('a part of a list that was asked for as a whole')
  }

  /** Every page at the first one's revision: a watch from there repeats rather than misses what came between. */
  async #pages<T>(request: ListRequest<T>): Promise<Picked<T>> {
    const limit = String(this.#options.pageSize ?? PAGE_SIZE)
    const items: T[] = []
    let resourceVersion: string | undefined
    let token: string | undefined
    for (let count = 0; count < MOST_PAGES; count += 1) {
      const page = await this.#page(request, { limit, continue: token }, items)
      resourceVersion ??= page.resourceVersion
      if (page.next === undefined) return { resourceVersion, items }
      if (page.next === token) break
      token = page.next
    }
    throw garbage('a list without an end')
  }

  /** Adds a page's items. */
  async #page<T>(
    { resource, selection, signal, pick }: ListRequest<T>,
    how: Readonly<Record<string, string | undefined>>,
    items: T[],
  ): Promise<Omit<Page, 'items'>> {
    const { namespace, labelSelector, fieldSelector } = selection
    const path = collectionPath(resource, namespace)
    const query = { labelSelector, fieldSelector, ...how }
    const before = items.length
    const head = await this.#http.items(
      { method: 'GET', path, query, signal },
      () => items.splice(before),
      (item) => items.push(pick(decodeObject(item, resource))),
    )
    return decodePageHead(head, resource)
  }
}

interface ListRequest<T> {
  readonly resource: Resource
  readonly selection: Selection
  readonly signal: AbortSignal | undefined
  readonly pick: (object: KubeObject) => T
}

interface Picked<T> {
  readonly resourceVersion: string
  readonly items: readonly T[]
}

/** A subresource may be an object of its own kind, such as a Scale. */
function decodeChanged(input: unknown, resource: Resource, subresource: string | undefined): KubeObject {
  const own = subresource === undefined || subresource === 'status'
  return decodeObject(input, own ? resource : undefined)
}
