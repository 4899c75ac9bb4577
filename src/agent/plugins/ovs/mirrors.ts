/**
 * ovs-cni's plugins for port mirrors, which are not made here.
 * @module
 */
import { cniError } from '../../../cni/index.ts'
import type { Plugin } from '../plugin.ts'

/** The types of those plugins. */
export const MIRROR_TYPES = ['ovs-mirror-producer', 'ovs-mirror-consumer'] as const

/** Such a plugin: refuses to be added, and has nothing to remove. */
export function mirrorPlugin(type: (typeof MIRROR_TYPES)[number]): Plugin {
  const refuse = async (): Promise<never> => {
    const expected = `must not be ${type}: Weft makes no port mirrors; an administrator can, by ovs-vsctl (table Mirror)`
    throw cniError('config-invalid', { field: 'type', expected })
  }
  return { add: refuse, check: refuse, del: async () => undefined }
}
