/**
 * What lists of other objects than ports are narrowed by.
 * @module
 */
import { checkedTag } from './tags.ts'

/** Everything that is given has to be true. An empty filter is everything that the account sees. */
export interface ObjectFilter {
  readonly name?: string
  readonly projectId?: string
  readonly networkId?: string
  /** Others' that the account may use. For security groups it needs the extension `security-groups-shared-filtering`. */
  readonly isShared?: boolean
  /** All of them. */
  readonly tags?: readonly string[]
}

/** A filter as Neutron writes it. */
export function objectQuery({
  name,
  projectId,
  networkId,
  isShared,
  tags = [],
}: ObjectFilter): readonly (readonly [string, string])[] {
  const given: readonly (readonly [string, string | undefined])[] = [
    ['name', name],
    ['project_id', projectId],
    ['network_id', networkId],
    ['shared', isShared === undefined ? undefined : String(isShared)],
    ['tags', tags.length === 0 ? undefined : tags.map(checkedTag).join(',')],
  ]
  return given.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]))
}
