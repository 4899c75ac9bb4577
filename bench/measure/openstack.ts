/**
 * What a pod's address out of Neutron costs: `ipam-neutron` as a program, as a runtime calls it, beside a port that is made by one
 * call with a token at hand. On a cloud that runs (`WEFT_TEST_CLOUD`), else on one of its own.
 * @module
 */
import type { Neutron } from '../../src/openstack/neutron/neutron.ts'
import { Cloud } from '../../test/openstack/cloud/cloud.ts'
import { environmentOf, type IpamCall, netconfOf } from '../../test/openstack/ipam/caller.ts'
import { median, type Result } from '../result.ts'
import { weft } from '../rig/program.ts'

const DRIVER = 'ovs'
const POST = 'Neutron POST'

/** Rounds of both in turn, so that both see the same Neutron. */
export async function measureOpenStack(rounds: number, fromSource: boolean): Promise<readonly Result[]> {
  const cloud = await Cloud.start([DRIVER])
  const neutron = cloud.client(DRIVER, 'cni')
  const { id: networkId } = await neutron.networks.create({ name: `bench-${process.pid}` })
  try {
    await neutron.subnets.create({ networkId, name: 'bench', cidr: '10.83.0.0/20', hasDhcp: false })
    const samples: Record<'add' | 'post' | 'del' | 'delete', number[]> = { add: [], post: [], del: [], delete: [] }
    for (let round = 0; round < rounds; round += 1) {
      const call = { networks: [networkId], version: '1.0.0', containerId: `bench-${round}` }
      const add = await timed(samples.add, () => program(cloud, 'ADD', call, fromSource))
      const port = await timed(samples.post, () => neutron.ports.create({ networkId, name: `bench-${round}` }))
      if (add !== 0) throw new Error(`ADD ended with ${add}`)
      await timed(samples.del, () => program(cloud, 'DEL', call, fromSource))
      await timed(samples.delete, () => neutron.ports.delete(port.id))
    }
    const note = 'a process and a token each time, two look-ups and the port; the peer has its token'
    return [
      {
        what: 'ipam-neutron ADD, no agent',
        unit: 'ms',
        ours: median(samples.add),
        peer: median(samples.post),
        peerName: POST,
        note,
      },
      {
        what: 'ipam-neutron DEL, no agent',
        unit: 'ms',
        ours: median(samples.del),
        peer: median(samples.delete),
        peerName: 'Neutron DELETE',
      },
    ]
  } finally {
    await clear(neutron, networkId)
    await cloud.stop()
  }
}

async function program(cloud: Cloud, verb: string, call: IpamCall, fromSource: boolean): Promise<number> {
  const [file = '', ...words] = weft(fromSource)
  const child = Bun.spawn([file, ...words], {
    argv0: 'cni-ipam-neutron',
    env: environmentOf(verb, call),
    stdin: new TextEncoder().encode(netconfOf(cloud, DRIVER, call)),
    stdout: 'ignore',
  })
  return child.exited
}

async function timed<T>(samples: number[], work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await work()
  samples.push(performance.now() - started)
  return result
}

async function clear(neutron: Neutron, networkId: string): Promise<void> {
  for (const { id } of await neutron.ports.list({ networkId })) await neutron.ports.delete(id)
  await neutron.networks.delete(networkId)
}
