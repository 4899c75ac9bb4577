/**
 * What the parts of the embedded API server agree on.
 * @module
 */
import type { KubeObject, Resource } from '../../kube/object.ts'

/** A part of an object that has an address of its own. */
export type Subresource = 'status' | 'scale' | 'log' | 'exec' | 'attach' | 'binding' | 'eviction' | 'finalize'

/** A column of `kubectl get`: a JSON path below the object, as CustomResourceDefinitions write it. */
export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: string
  readonly description?: string
  /** 0 is always shown, larger ones with `-o wide`. */
  readonly priority?: number
}

/** A resource that the server serves. */
export interface ServedResource extends Resource {
  readonly singular: string
  readonly listKind: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly subresources: readonly Subresource[]
  /** The table that `kubectl get` shows: its columns, and the cells of one object. Absent: name and age. */
  readonly table?: { readonly columns: readonly Column[]; cells(object: KubeObject, now: Date): readonly unknown[] }
  /** An OpenAPI v3 schema of the object; unknown fields are kept unless it says otherwise. */
  readonly schema?: Readonly<Record<string, unknown>>
  /** Replica counts of the `scale` subresource, as dotted paths. */
  readonly scale?: { readonly spec: string; readonly status: string; readonly selector?: string }
  /**
   * The object as it is stored: defaults filled in, pruned where a schema says so. Throws an ApiError that names every
   * wrong field. `before` is absent when it is created.
   */
  prepare(object: KubeObject, before: KubeObject | undefined): KubeObject
}

/** An answer other than success, in the API's own words (a `Status` object). */
export class ApiError extends Error {
  readonly status: number
  readonly reason: string
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(status: number, reason: string, message: string, details?: Readonly<Record<string, unknown>>) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.reason = reason
    this.details = details
  }
}

/** What runs the pods: the server passes logs and commands on to it. */
export interface PodRuntime {
  /** What a container wrote, as a stream that ends unless `follow`. Throws ApiError. */
  logs(pod: KubeObject, options: LogOptions, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>
  /** Runs a command in a container. Throws ApiError. */
  exec(pod: KubeObject, options: ExecOptions): Promise<ExecSession>
}

/** Which of a container's words. */
export interface LogOptions {
  readonly container?: string
  readonly follow: boolean
  readonly previous: boolean
  readonly tailLines?: number
  readonly sinceSeconds?: number
  readonly limitBytes?: number
  readonly timestamps: boolean
}

/** A command and how it is connected. */
export interface ExecOptions {
  readonly container?: string
  readonly command: readonly string[]
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/** A running command. With a terminal everything comes as stdout. */
export interface ExecSession {
  readonly stdout: ReadableStream<Uint8Array>
  readonly stderr: ReadableStream<Uint8Array> | undefined
  write(data: Uint8Array): void
  endInput(): void
  resize(columns: number, rows: number): void
  /** The exit code; a signal's is 128 plus its number. */
  readonly exited: Promise<number>
  kill(): void
}
