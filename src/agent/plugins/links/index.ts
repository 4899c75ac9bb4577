import type { Plugin } from '../plugin.ts'
import { ChildPlugin, type LinkParts } from './child-plugin.ts'
import { ifacerPlugin } from './ifacer.ts'
import { CHILD_KINDS } from './netconf.ts'

export type { LinkParts } from './child-plugin.ts'
export { bridgeOfLink } from './master.ts'

/** The plugins for links of the node, by type. */
export function linkPlugins(parts: LinkParts): ReadonlyMap<string, Plugin> {
  return new Map<string, Plugin>([
    ...CHILD_KINDS.map((kind) => [kind, new ChildPlugin(kind, parts)] as const),
    ['ifacer', ifacerPlugin(parts)] as const,
  ])
}
