import { expect, test } from 'bun:test'
import type { Fabric } from '../../network/model/cluster.ts'
import { sampleView } from '../testing/sample-facts.ts'
import { explain } from './explain.ts'
import { trace } from './trace.ts'

test.each<[Fabric['way'], string, string]>([
  ['tunnel', 'into the vxlan tunnel', 'from the vxlan tunnel'],
  ['direct', 'to node2, by the direct route over 192.0.2.12 on eth0', 'from node1, by the direct route'],
  ['bgp', 'to node2, by the route that BGP told over 192.0.2.12 on eth0', 'from node1, by the route that BGP told'],
])('under %s both ends name the way that the packet takes', (way, out, into) => {
  const view = sampleView([], {}, { wanted: { way, otherwise: 'tunnel' } })
  for (const family of [4, 6] as const) {
    const { there } = trace(view, { from: 'shop/web', to: 'shop/cart', family, protocol: 'tcp', port: 80, size: 60 })
    const [sender = [], receiver = []] = there.hops.map((hop) => explain(hop).flatMap(({ decided }) => decided))
    const [v4, v6] = ['192.0.2.12', '2001:db8::12']
    expect(sender).toContain(family === 4 ? out : out.replace(v4, v6))
    expect(receiver).toContain(into)
    expect([...sender, ...receiver].filter((words) => words.includes('tunnel')).length > 0).toBe(way === 'tunnel')
  }
})
