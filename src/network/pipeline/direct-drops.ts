/**
 * The ways a packet ends between nodes that reach each other without a tunnel.
 * @module
 */
import type { Drop } from './drops.ts'

/** Those reasons of {@link DROPS} that are about packets which cross the fabric as they are. */
export const DIRECT_DROPS = {
  'direct-source': {
    code: 80,
    stage: 'direct',
    because: 'the node’s stack let it in as another node’s pod’s, but its source is in no range of such a node',
    remedy: 'Compare the nodes’ ranges: weft fabric show; the node’s routes for it may be older than the plan',
  },
  'direct-chatter': {
    code: 81,
    stage: 'direct',
    because: 'the node’s stack asks for neighbours on the link to other nodes’ pods, where there are none',
    remedy: 'Nothing to do',
    benign: true,
  },
  'no-way': {
    code: 82,
    stage: 'route',
    because: 'there is no way without a tunnel to the node of its receiver, and the cluster refuses the tunnel',
    remedy: 'See why: weft fabric show; or let such packets take the tunnel: weft.fabric.otherwise in ClusterNetwork',
  },
  'unknown-remote-pod': {
    code: 83,
    stage: 'remote',
    because:
      'its receiver is on a node that is reached without a tunnel, and no pod that its tenant may talk to is known there',
    remedy: 'Compare the tenants: weft tenant list; or the pod is gone: kubectl get pods -A -o wide',
  },
} as const satisfies Record<string, Drop>
