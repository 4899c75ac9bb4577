/**
 * Standing pods that traffic runs between.
 * @module
 */
import type { NodeLayout } from '../../src/playground/layout.ts'
import { callSync } from './plugin.ts'
import type { Rig } from './rig.ts'

/** A pod that stands. */
export interface Pod {
  readonly netns: string
  readonly address: string
}

/** Attaches one pod to a node. */
export function attachPod(rig: Rig, node: NodeLayout): Pod {
  const [sandbox] = rig.sandboxes(1)
  if (sandbox === undefined) throw new Error('no sandbox')
  const { result } = callSync(rig.ours(node), 'ADD', sandbox)
  const { ips } = result as { readonly ips: readonly { readonly address: string }[] }
  return { netns: sandbox.netns, address: (ips[0]?.address ?? '').replace(/\/.*/, '') }
}
