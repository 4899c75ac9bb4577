/**
 * A tenant network that has pods on this node: its members may talk.
 * @module
 */
import { flowsOf, goto, holds } from '../pipeline/build.ts'
import { type Fragment, vniKey } from './fragment.ts'

/** The fragment of a VNI other than the global one. */
export function vniFragment(vni: number): Fragment {
  const key = vniKey(vni)
  const { flow } = flowsOf(key)
  const both = { ...holds('sourceVni', vni), ...holds('destinationVni', vni) }
  return { key, title: `tenant network ${vni}`, flows: [flow('tenant', 100, both, [goto('receiver')])], groups: [] }
}
