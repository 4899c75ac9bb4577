/**
 * What fabrics are called.
 * @module
 */
import type { Cluster, Fabric } from '../model/cluster.ts'
import { fabricOf } from './way.ts'

/** What carries packets of pods where no tunnel does. */
export const ROUTES: { readonly [W in Exclude<Fabric['way'], 'tunnel'>]: string } = {
  direct: 'direct routes',
  bgp: 'BGP routes',
}

/** What a cluster wants: `direct routes, else vxlan over IPv4`. `tunnel`: what its tunnels are called. */
export function wantedWords(cluster: Pick<Cluster, 'fabric'>, tunnel: string): string {
  const { way, otherwise } = fabricOf(cluster)
  if (way === 'tunnel') return tunnel
  return `${ROUTES[way]}, else ${otherwise === 'tunnel' ? tunnel : 'none'}`
}
