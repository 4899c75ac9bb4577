/**
 * A pod of another node, which packets reach without a tunnel: of which tenant it is.
 * @module
 */
import { familyOf, type Ip } from '../model/address.ts'
import { flowsOf, goto, ipPacket, load } from '../pipeline/build.ts'
import type { Fragment } from './fragment.ts'

/** The fragment of a pod that goes by its `<namespace>/<name>`. */
export function remotePodFragment(pod: string, addresses: readonly Ip[], vni: number): Fragment {
  const key = remotePodKey(pod)
  const { flow } = flowsOf(key)
  const judge = [load('destinationVni', vni), goto('tenant')]
  return {
    key,
    title: `pod ${pod} of another node`,
    flows: addresses.map((to) => flow('remote', 100, ipPacket(familyOf(to), { to }), judge)),
    groups: [],
  }
}

/** Its key. */
export function remotePodKey(pod: string): string {
  return `remote/${pod}`
}
