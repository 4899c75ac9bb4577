/**
 * A mesh of three machines with Docker on the kernel's datapath, inside the guest that `main.ts` starts, by each kind of tunnel. Prints what
 * it sees, and ends with 1 when something is not as it should be. What the daemon does is done here without it: its start takes minutes in a machine that is emulated.
 * @module
 */
import { deepEqual } from 'node:assert/strict'
import { netnsOpen, openRtnl } from '../../src/linux/index.ts'
import { decodeMeshConfig } from '../../src/mesh/config.ts'
import { applyKernel } from '../../src/mesh/kernel.ts'
import { ownHost, placesOf } from '../../src/mesh/look.ts'
import { planMesh } from '../../src/mesh/plan.ts'
import { applySwitch, portStates, SWITCH_SPEC, type SwitchMonitor } from '../../src/mesh/switch.ts'
import { connectOvsdb } from '../../src/ovs/ovsdb/index.ts'
import { type Host, Rig } from '../mesh/rig.ts'

const MTUS = { gre: 1462, vxlan: 1450, geneve: 1450 } as const

for (const [way, mtu] of Object.entries(MTUS)) {
  const rig = new Rig(3, { datapath: 'system' })
  try {
    await rig.up()
    rig.write(rig.hosts, `way: ${way}`, 'network: 172.17.0.0/16')
    const monitors = []
    for (const host of rig.hosts) monitors.push(await make(host, rig.list))
    while (!monitors.every(isUp)) await Bun.sleep(500)
    console.log(`${way}: BFD is up between all`)
    await rig.expectMesh()
    const [one, two] = [rig.host(1), rig.host(2)]
    const copies = await rig.copies(one, '172.17.99.99')
    console.log(`${way}: a question to all reaches the containers ${copies.join(', ')} times`)
    deepEqual(copies, [0, 1, 1])
    await one.within('ping', '-c1', '-W10', '-M', 'do', '-s', String(mtu - 28), two.inner)
    console.log(`${way}: ${mtu} bytes pass`)
  } finally {
    await rig.down()
  }
}
process.exit(0)

function isUp(monitor: SwitchMonitor): boolean {
  const states = [...portStates(monitor).values()]
  return states.length === 2 && states.every(({ bfd }) => bfd === 'up')
}

/** What the daemon's turns make. */
async function make(host: Host, list: string): Promise<SwitchMonitor> {
  const rtnl = openRtnl({ nsFd: netnsOpen(host.namespace) })
  const client = await connectOvsdb({ path: host.ovs?.dbSocket ?? '' })
  const monitor = await client.monitor(SWITCH_SPEC)
  const config = decodeMeshConfig(await Bun.file(list).text(), list)
  const self = ownHost(rtnl, config)
  const plan = planMesh(config, self.host, placesOf(rtnl, config, self.host), self.link)
  for (;;) {
    const problems = await applySwitch(client, monitor, plan.bridge, 'system')
    const kernel = applyKernel(rtnl, plan)
    if (problems.length === 0 && kernel.isJoined) return monitor
    await Bun.sleep(500)
  }
}
