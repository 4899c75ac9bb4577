/**
 * Every message that the server knows.
 * @module
 */
import { AFFINITY_MESSAGES } from './affinity.ts'
import { CALL_MESSAGES } from './calls.ts'
import { CONTAINER_MESSAGES } from './container.ts'
import { DEFINITION_MESSAGES } from './definition.ts'
import type { Message } from './message.ts'
import { META_MESSAGES } from './meta.ts'
import { NETWORK_POLICY_MESSAGES } from './network-policy.ts'
import { NODE_MESSAGES } from './node.ts'
import { PLAIN_MESSAGES } from './plain.ts'
import { POD_MESSAGES } from './pod.ts'
import { POD_STATUS_MESSAGES } from './pod-status.ts'
import { SERVICE_MESSAGES } from './service.ts'
import { VOLUME_MESSAGES } from './volume.ts'
import { WORKLOAD_MESSAGES } from './workload.ts'

export { KIND_WORDS } from './kinds.ts'
export type { Field, Message } from './message.ts'

/** Messages by name. */
export const MESSAGES: ReadonlyMap<string, Message> = new Map<string, Message>(
  [
    META_MESSAGES,
    PLAIN_MESSAGES,
    NODE_MESSAGES,
    POD_MESSAGES,
    POD_STATUS_MESSAGES,
    CONTAINER_MESSAGES,
    VOLUME_MESSAGES,
    AFFINITY_MESSAGES,
    SERVICE_MESSAGES,
    NETWORK_POLICY_MESSAGES,
    WORKLOAD_MESSAGES,
    CALL_MESSAGES,
    DEFINITION_MESSAGES,
  ].flatMap((messages) => Object.entries<Message>(messages)),
)

/** A field's type, taken apart. */
export interface FieldType {
  readonly shape: 'one' | 'list' | 'map'
  readonly isPointer: boolean
  /** Its fields stand in the JSON of the message around it. */
  readonly isInline: boolean
  readonly name: string
}

/** Reads the notation of {@link Message}. */
export function fieldType(type: string): FieldType {
  const isPointer = type.startsWith('*')
  const isInline = type.startsWith('...')
  const bare = type.slice(isPointer ? 1 : isInline ? 3 : 0)
  const shape = bare.startsWith('[]') ? 'list' : bare.startsWith('{}') ? 'map' : 'one'
  return { shape, isPointer, isInline, name: shape === 'one' ? bare : bare.slice(2) }
}
