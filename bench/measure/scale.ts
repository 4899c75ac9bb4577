/**
 * A large cluster behind the embedded API server: what starting costs, and what an event does.
 * @module
 */
import type { Result } from '../result.ts'
import { measureControlPlane } from '../scale/control-plane.ts'
import { measureNode, measureServices } from '../scale/node.ts'
import type { Size } from '../scale/objects.ts'
import { ScaleRig } from '../scale/rig.ts'

const FULL: Size = { nodes: 2_000, namespaces: 10_000, pods: 100_000, services: 10_000 }
const QUICK: Size = { nodes: 200, namespaces: 1_000, pods: 10_000, services: 1_000 }

/** Measures on a rig of its own, beside `runDir`. */
export async function measureScale(runDir: string, quick: boolean, source: boolean): Promise<readonly Result[]> {
  const size = quick ? QUICK : FULL
  const rig = new ScaleRig(`${runDir}-scale`, source)
  try {
    await rig.stop()
    await rig.prepare()
    return [
      ...(await measureControlPlane(rig, size)),
      ...(await measureNode(rig)),
      ...(await measureServices(rig, size)),
    ]
  } finally {
    await rig.stop()
  }
}
