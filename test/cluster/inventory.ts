/**
 * What there is on a node of pods and of Weft, counted with the node's own tools.
 * @module
 */
import { readdirSync } from 'node:fs'
import { run } from '../lab/command.ts'
import type { Cluster } from './cluster.ts'
import { hostPath } from './node-host.ts'
import type { NodePlace } from './places.ts'

/** Counts that rise and fall with pods. */
export interface Inventory {
  readonly sandboxes: number
  readonly links: number
  readonly ports: number
  readonly flows: number
}

/** Counts network namespaces of sandboxes, links, and the overlay bridge's ports and flows. */
export async function inventory(rig: Cluster, node: NodePlace): Promise<Inventory> {
  const lines = async (...argv: readonly string[]): Promise<number> => {
    const { stdout } = await rig.onNode(node, argv)
    return stdout.split('\n').filter((line) => line !== '').length
  }
  const bridge = 'unix:/run/openvswitch/br-weft.mgmt'
  return {
    sandboxes: readdirSync(hostPath(node, '/run/netns')).length,
    links: await lines('ip', '-o', 'link'),
    ports: await lines('ovs-vsctl', '--db=unix:/run/openvswitch/db.sock', 'list-ports', 'br-weft'),
    flows: await lines('ovs-ofctl', '-O', 'OpenFlow15', 'dump-flows', '--no-stats', bridge),
  }
}

export function describeInventory({ sandboxes, links, ports, flows }: Inventory): string {
  return `${sandboxes} sandboxes, ${links} links, ${ports} ports, ${flows} flows`
}

/** Traces of Weft on a node, one line each: files, bridges, links, rules, routes and tables. */
export async function traces(rig: Cluster, node: NodePlace): Promise<readonly string[]> {
  const grep = async (pattern: RegExp, ...argv: readonly string[]): Promise<readonly string[]> => {
    const { stdout } = await run(argv)
    return stdout
      .split('\n')
      .filter((line) => pattern.test(line))
      .map((line) => `${argv.slice(-3).join(' ')}: ${line.trim()}`)
  }
  const on = (...argv: readonly string[]): readonly string[] => rig.nodeCommand(node, argv)
  const folders = ['/etc/cni/net.d', '/opt/cni/bin', '/run/weft']
  return [
    ...(await grep(/./, ...on('sh', '-c', `find ${folders.join(' ')} -mindepth 1 ! -name loopback 2> /dev/null`))),
    ...(await grep(/weft/, ...on('ovs-vsctl', '--db=unix:/run/openvswitch/db.sock', 'list-br'))),
    ...(await grep(/weft/, ...on('ip', '-o', 'link'))),
    ...(await grep(/./, ...on('ip', 'route', 'show', 'table', 'all', 'proto', '77'))),
    ...(await grep(/./, ...on('ip', '-6', 'route', 'show', 'table', 'all', 'proto', '77'))),
    ...(await grep(/proto 77\b/, ...on('ip', '-d', 'rule'))),
    ...(await grep(/proto 77\b/, ...on('ip', '-6', '-d', 'rule'))),
    ...(await grep(/weft/, ...on('nft', 'list', 'tables'))),
  ]
}
