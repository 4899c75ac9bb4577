/**
 * Every encapsulation and underlay: who reaches whom, and the largest packet.
 * @module
 */
import { equal } from 'node:assert/strict'
import { eventually, Lab, type LabOptions } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

/** IPv4 and ICMP headers; IPv6 and ICMPv6 headers. */
const HEADERS = { 4: 28, 6: 48 } as const

/** VXLAN over IPv4 is every other scenario's. */
const SHAPES: readonly LabOptions[] = [
  { encapsulation: 'geneve' },
  { encapsulation: 'gre' },
  { underlay: 6 },
  { encapsulation: 'geneve', underlay: 6 },
  { encapsulation: 'gre', underlay: 6 },
]

export const encapsulations: Scenario = {
  name: 'encapsulations',
  lab: undefined,
  steps: SHAPES.map((shape) => ({
    title: `the whole table over ${shape.encapsulation ?? 'vxlan'} over IPv${shape.underlay ?? 4}`,
    run: (context: StepContext) => wholeTable(context, shape),
  })),
}

async function wholeTable({ say }: StepContext, shape: LabOptions): Promise<void> {
  const lab = new Lab(`shape-${shape.encapsulation ?? 'vxlan'}${shape.underlay ?? 4}`, shape)
  try {
    const { wrong, pods } = await lab.up()
    const { stdout: mtuText } = await lab.inside(lab.netns('shop/web'), 'cat', '/sys/class/net/eth0/mtu')
    const mtu = Number(mtuText)
    for (const family of [4, 6] as const) {
      const size = String(mtu - HEADERS[family])
      const flags = [`-${family}`, '-c', '3', '-i', '0.2', '-W', '2', '-M', 'do', '-s', size]
      const { code, stdout } = await lab.inside(lab.netns('shop/web'), 'ping', ...flags, lab.address('shop/db', family))
      equal(code, 0, stdout)
    }
    await eventually('every tunnel carries packets of that size', async () => {
      const all = await Promise.all(lab.nodes().map((node) => lab.agent(node).status()))
      const tunnels = all.flatMap(({ peers }) => peers.map(({ tunnel }) => tunnel))
      return tunnels.every((tunnel) => tunnel?.state === 'up' && tunnel.full?.bytes === mtu && tunnel.full.passes)
    })
    say(`${pods} pods, ${wrong} cells wrong; the largest packet is ${mtu} bytes and crosses whole`)
    equal(wrong, 0)
  } finally {
    await lab.down()
  }
}

if (import.meta.main) await runScenario(encapsulations)
