/**
 * A node whose NIC is a VM's port, a pod, and ports that are prepared for the node: real links, a registry in memory.
 */
import type { CniResult, JsonObject } from '../../../../cni/index.ts'
import { linkSet } from '../../../../linux/index.ts'
import type { Pod } from '../../../../network/model/pod.ts'
import { PARENT_MAC, Rig, type RigOptions } from '../../../neutron/testing/rig.ts'
import { Bench, never } from '../../links/testing/bench.ts'
import type { PluginCallInside } from '../../plugin.ts'
import type { GroupSources } from '../groups.ts'
import { NeutronPlugin } from '../plugin.ts'

/** Everything that a test changes is a field. */
export class NeutronBench extends Bench {
  readonly rig: Rig
  readonly pods = new Map<string, Pod>()

  constructor(options: RigOptions = {}) {
    super()
    this.rig = new Rig(options)
    linkSet(this.node.rtnl, 'up0', { mac: PARENT_MAC })
  }

  override [Symbol.dispose](): void {
    this.rig[Symbol.dispose]()
    super[Symbol.dispose]()
  }

  get groups(): GroupSources {
    return {
      pods: { find: async ({ namespace, name }) => this.pods.get(`${namespace}/${name}`) },
      registry: this.rig.registry,
      namespace: () => undefined,
    }
  }

  get neutron(): NeutronPlugin {
    return new NeutronPlugin({ ...this.parts, ports: this.rig.neutron.ports, groups: this.groups })
  }

  on(config: JsonObject = {}, rest: Partial<PluginCallInside> = {}): PluginCallInside {
    return this.call({ type: 'neutron', network: 'pods', ...config }, rest)
  }

  add(config: JsonObject = {}, rest: Partial<PluginCallInside> = {}): Promise<CniResult> {
    return this.neutron.add(this.on(config, rest), never)
  }
}
