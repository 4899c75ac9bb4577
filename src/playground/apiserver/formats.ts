/**
 * The formats that the server's core is put together with.
 * @module
 */
import type { KubeObject } from '../../kube/object.ts'
import type { ServedResource } from './contract.ts'

/** A document that describes the API. */
export interface Document {
  readonly contentType: string
  readonly body: string | Uint8Array
  readonly etag?: string
}

/** How much of each object a table's row carries. */
export interface TableOptions {
  readonly now: Date
  readonly includeObject: 'None' | 'Metadata' | 'Object'
  readonly listMeta: Readonly<Record<string, unknown>>
}

/** Everything that the core leaves to its neighbours. */
export interface Formats {
  builtinResources(): readonly ServedResource[]
  readonly crdResource: ServedResource
  /** Every served version of what a CustomResourceDefinition defines. */
  resourcesOf(crd: KubeObject): readonly ServedResource[]
  /** Throws ApiError. */
  applyPatch(type: 'json' | 'merge' | 'strategic', object: unknown, patch: unknown, resource: ServedResource): unknown
  /** Throws ApiError. */
  decodeProtobuf(body: Uint8Array): KubeObject
  toTable(resource: ServedResource, objects: readonly KubeObject[], options: TableOptions): unknown
  discovery(path: string, accept: string, resources: readonly ServedResource[]): Document | undefined
  openapi(path: string, resources: readonly ServedResource[]): Document | undefined
}
