/**
 * How the messages of the API are written down: once for its protobuf form, its schema and its patches.
 * @module
 */

/**
 * A field: its number in protobuf, its type, what it is, and how a strategic merge patch treats it.
 *
 * Types are `string`, `bool`, `int32`, `int64`, `bytes`, `Time`, `MicroTime`, `IntOrString`, `Quantity`, the name of a
 * message, `Any` for what is kept without being looked at, or `Ignored` for what is not kept. `[]` before it makes a list
 * and `{}` a map by strings. `*` marks what is told apart from its zero value, and `...` a message whose fields stand in
 * this one's JSON.
 *
 * Patches: `merge` joins lists of values and `merge:<field>` lists of objects by that field; `retainKeys` may say which
 * fields remain. Lists without either are replaced. Numbers, types and merging are Kubernetes 1.32's.
 */
export type Field = readonly [number: number, type: string, description: string, merging?: string]

/** The fields by their names in JSON. */
export type Message = Readonly<Record<string, Field>>

/** Messages by name. */
export type Messages = Readonly<Record<string, Message>>
