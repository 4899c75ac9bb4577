/**
 * A node with a NIC, a pod and a wire in namespaces of their own, and the plugin that moves the NIC. The NIC is one end of a veth:
 * unlike hardware it ends with the namespace that it is in.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PortFacts } from '../../../../compat/neutron-nic/port-facts.ts'
import { type Link, linkFind, linkGet } from '../../../../linux/index.ts'
import { Bench } from '../../links/testing/bench.ts'
import { NicNotes } from '../notes.ts'
import { HostDevicePlugin, type NicParts } from '../plugin.ts'

/** The bench of plugins for links, whose link `up0` is the NIC. */
export class NicBench implements Disposable {
  readonly links = new Bench()
  readonly stateDir = mkdtempSync(join(tmpdir(), 'wefttest-nics-'))
  /** What Neutron says of the NIC's port, and what it was asked. */
  facts: PortFacts | undefined
  readonly asked: object[] = []
  change: Partial<NicParts> = {}
  home: NicParts['home']
  notes: NicNotes

  constructor() {
    const { node } = this.links
    this.home = { rtnl: node.rtnl, nsFd: node.nsFd, sysfs: join(this.stateDir, 'sys'), boot: 'first' }
    this.notes = new NicNotes(this.stateDir)
  }

  [Symbol.dispose](): void {
    this.links[Symbol.dispose]()
    rmSync(this.stateDir, { recursive: true, force: true })
  }

  /** A fresh one, that knows what is on the disk. */
  get plugin(): HostDevicePlugin {
    this.notes = new NicNotes(this.stateDir)
    const { plugins, grants, announce, bridgeOf } = this.links.parts
    return new HostDevicePlugin({
      home: this.home,
      notes: this.notes,
      plugins,
      grants,
      announce,
      bridgeOf,
      portFacts: async (cloud, port) => {
        this.asked.push({ cloud, port })
        if (this.facts === undefined) throw new Error('Neutron knows nothing')
        return this.facts
      },
      ...this.change,
    })
  }

  /** The NIC at home. */
  get nic(): Link {
    return linkGet(this.links.node.rtnl, 'up0')
  }

  /** The pod's interface. */
  get inside(): Link | undefined {
    return linkFind(this.links.pod.rtnl, 'net1')
  }
}
