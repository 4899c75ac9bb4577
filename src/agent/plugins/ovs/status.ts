/**
 * Whether pods can be put on a bridge now.
 * @module
 */
import type { JsonObject } from '../../../cni/index.ts'
import { optionalText } from '../../../cni/json.ts'
import { FLAT_FILES } from '../../../compat/ovs-cni/netconf.ts'
import { reservedFor } from './bridges.ts'
import { withNodeFile } from './flat-file.ts'
import type { UnderlayPorts } from './ports.ts'

/** What stands in the way of an ADD by this configuration, for people; undefined when nothing does. */
export function statusProblem(
  config: JsonObject,
  ports: Pick<UnderlayPorts, 'connected' | 'tables'>,
  flatFiles: readonly string[] = FLAT_FILES,
): string | undefined {
  if (!ports.connected) return 'Open vSwitch (ovsdb-server does not answer)'
  try {
    const bridge = optionalText(withNodeFile(config, undefined, flatFiles), 'bridge', 'bridge')
    if (bridge === undefined) return undefined
    const owner = reservedFor(ports.tables, bridge)
    if (owner !== undefined) return `bridge ${bridge} is ${owner}, and no pod is put on it; name another bridge`
    if (ports.tables.byName('Bridge', bridge) !== undefined) return undefined
    return `Open vSwitch has no bridge ${bridge}; make it with weft bridge create ${bridge}`
  } catch (error) {
    return error instanceof Error ? error.message : 'the configuration cannot be read'
  }
}
