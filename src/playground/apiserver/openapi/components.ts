/**
 * The schemas of a document, each under a name to which the others refer.
 * @module
 */
import { messageOfSchema, schemaOfMessage } from '../builtin/index.ts'
import type { ServedResource } from '../contract.ts'
import { isFields } from '../objects/shape.ts'

type Schema = Readonly<Record<string, unknown>>

/** Collects the schemas that resources need. */
export class Components {
  readonly #schemas = new Map<string, unknown>()

  /** Adds a resource's schema; gives a reference to it. */
  ofResource({ group, version, kind, schema = ANY }: ServedResource): Schema {
    const name = `${group === '' ? 'core' : group}.${version}.${kind}`
    const { properties, ...rest } = schema
    const whole = {
      ...rest,
      // What every object has comes from us, whatever a definition says of it.
      properties: { ...(isFields(properties) ? properties : {}), ...HEAD },
      'x-kubernetes-group-version-kind': [{ group, version, kind }],
    }
    this.#schemas.set(name, this.#linked(whole))
    return reference(name)
  }

  /** All schemas by name. */
  schemas(): Schema {
    return Object.fromEntries([...this.#schemas].sort(([left], [right]) => (left < right ? -1 : 1)))
  }

  /** The value with a reference in place of every message. */
  #linked(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#linked(item))
    if (!isFields(value)) return value
    const name = messageOfSchema(value)
    if (name === undefined) return this.#fields(value)
    if (!this.#schemas.has(name)) {
      this.#schemas.set(name, undefined)
      this.#schemas.set(name, this.#fields(value))
    }
    return reference(name)
  }

  #fields(value: Schema): Schema {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.#linked(inner)]))
  }
}

const ANY: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

const HEAD: Schema = {
  apiVersion: { type: 'string', description: 'Its group and version.' },
  kind: { type: 'string', description: 'What it is.' },
  metadata: { allOf: [schemaOfMessage('ObjectMeta')], description: 'Name, labels and what else every object has.' },
}

function reference(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` }
}
