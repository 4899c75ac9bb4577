/**
 * How Neutron's objects say whose they are. The mark is the machine's own port, which nobody else has: a node that lost
 * everything it knew finds its objects again by it.
 * @module
 */

/** The tag that all of Weft's objects have. */
export const TAG = 'weft'

/** Tags of a node's objects. */
export function ownTags(parent: string): readonly string[] {
  return [TAG, parentTag(parent)]
}

/** The tag by which a node's objects are told from other nodes'. */
export function parentTag(parent: string): string {
  return `weft-underlay=${parent}`
}

/** What a network, subnet or trunk of ours says of itself: Neutron takes tags for them in a second call only. */
export function ownDescription(parent: string): string {
  return `Weft: pods behind port ${parent}`
}

/** Whether an object says that it is the node's. */
export function isOwn(
  parent: string,
  { tags, description }: { readonly tags: readonly string[]; readonly description?: string },
): boolean {
  return tags.includes(parentTag(parent)) || description === ownDescription(parent)
}

/** The name of a pod's port: people read it, and it holds the VLAN that the port is meant for. */
export function portName(name: string, vlan: number): string {
  return `weft/${name}/${vlan}`
}

/** The VLAN in the name of a port. */
export function vlanIn(portName: string): number | undefined {
  const [, digits = ''] = /^weft\/.+\/(\d{1,4})$/.exec(portName) ?? []
  const vlan = Number(digits)
  return digits !== '' && vlan >= 1 && vlan <= 4094 ? vlan : undefined
}
