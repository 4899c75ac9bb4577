/**
 * Two nodes and the tunnel between them on the kernel's datapath, inside the guest that `main.ts` starts. The argument is the
 * encapsulation. What connection tracking forgets or keeps on a packet's way is the kernel's own affair, so services and a
 * policy are tried as well. Prints what it sees, and ends with 1 when something is not as it should be.
 * @module
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { linkGet, openRtnl } from '../../src/linux/index.ts'
import { familyOf, type Ip } from '../../src/network/model/address.ts'
import type { Encapsulation } from '../../src/network/model/cluster.ts'
import { countersOf, startBulk } from '../lab/bulk.ts'
import { capture, isWrappedEchoRequest } from '../lab/capture.ts'
import { run } from '../lab/command.ts'
import { eventually } from '../lab/lab.ts'
import { startGuestCluster } from './guest-cluster.ts'
import { answerOf, askService, offerService, onlyFrom, SERVICE_ADDRESSES } from './guest-objects.ts'
import type { Pod } from './guest-pod.ts'

/** The guest is emulated: everything takes ten times as long. */
const PATIENCE_MS = 120_000
/** So that each endpoint is chosen, but for one run in two thousand. */
const ASKED = 12
const ENCAPSULATIONS: Readonly<Record<string, Encapsulation>> = {
  vxlan: { type: 'vxlan', port: 4789 },
  geneve: { type: 'geneve', port: 6081 },
  gre: { type: 'gre' },
}

const encapsulation = ENCAPSULATIONS[process.argv[2] ?? '']
if (encapsulation === undefined) throw new Error(`name one of ${Object.keys(ENCAPSULATIONS).join(', ')}`)
const cluster = await startGuestCluster({ way: 'tunnel', otherwise: 'tunnel' }, encapsulation)
const { registry } = cluster
const [near, far] = cluster.nodes
console.log('two agents are ready on the kernel’s datapath')
const web = await near.attach({ namespace: 'shop', name: 'web', labels: { name: 'web' } })
const api = await near.attach({ namespace: 'shop', name: 'api', labels: { name: 'api' } })
const sink = await far.attach({ namespace: 'shop', name: 'sink', labels: { name: 'sink' } })
const vault = await far.attach({ namespace: 'bank', name: 'vault' })
await offerService(registry, [web, sink])

await showPings()
await showWire(encapsulation)
await showLargest()
await showService()
await showPolicy()
console.log('as it should be')
process.exit(0)

async function showPings(): Promise<void> {
  for (const [from, to] of [
    [web, api],
    [web, sink],
    [sink, web],
  ] as const) {
    for (const address of addressesOf(to)) {
      await eventually(`${from.name} reaches ${address}`, () => answers(from, address), PATIENCE_MS)
      ok(await answers(from, address, '-s', '4000'))
      console.log(`${from.name} → ${to.name} ${address}: an answer, to 4,000 bytes in fragments too`)
    }
  }
  for (const address of addressesOf(vault)) equal(await answers(web, address), false)
  console.log('web → vault of another tenant: none')
}

/** What arrives at the other node's uplink is in tunnels of this kind. */
async function showWire({ type }: Encapsulation): Promise<void> {
  const seen = capture(far.fd, 'up0')
  for (const address of addressesOf(sink)) ok(await answers(web, address))
  await Bun.sleep(1_000)
  seen.close()
  for (const family of [4, 6] as const) {
    const count = seen.frames.filter((frame) => isWrappedEchoRequest(frame, family, type)).length
    console.log(`on the wire: ${count} echo requests of IPv${family} in ${type}`)
    ok(count > 0)
  }
}

/** The largest packet of a pod passes in one piece, and the agents have seen the same. */
async function showLargest(): Promise<void> {
  using inside = openRtnl({ nsFd: web.fd })
  const { mtu } = linkGet(inside, 'eth0')
  for (const address of addressesOf(sink)) {
    const payload = mtu - (familyOf(address) === 4 ? 28 : 48)
    ok(await answers(web, address, '-M', 'do', '-s', String(payload)))
    equal(await answers(web, address, '-M', 'do', '-s', String(payload + 1)), false)
  }
  const isSeen = async (): Promise<boolean> => {
    const [tunnel] = (await near.status()).peers.map((peer) => peer.tunnel)
    return tunnel?.state === 'up' && tunnel.full?.bytes === mtu && tunnel.full.passes
  }
  await eventually('the agent knows that the largest packets pass', isSeen, PATIENCE_MS)
  console.log(`${mtu} bytes pass in one piece, ${mtu + 1} do not; the agent says the same`)
}

async function showService(): Promise<void> {
  for (const address of SERVICE_ADDRESSES) {
    const expected = [web, sink].map((pod) => answerOf(pod, api, address)).sort()
    await eventually(`${address} answers`, async () => expected.includes(await askService(api, address)), PATIENCE_MS)
    const heard = new Set<string>()
    for (let i = 0; i < ASKED; i += 1) heard.add(await askService(api, address))
    console.log(`api → service ${address}: ${[...heard].sort().join(', ')}`)
    deepEqual([...heard].sort(), expected)
    await eventually(
      `a pod reaches itself by ${address}`,
      async () => (await askService(web, address)).startsWith(web.name),
      PATIENCE_MS,
    )
  }
  console.log('a pod that is an endpoint reaches itself by the service')
  const known = (await near.ovs.appctl('dpctl/dump-conntrack', 'system@ovs-system')).split('\n')
  const led = known.filter(
    (line) => line.includes(`dst=${SERVICE_ADDRESSES[0]}`) && line.includes(`src=${sink.address},`),
  )
  ok(
    led.length > 0 && led.every((line) => line.includes('labels=0x1')),
    'a service’s connection is not marked as allowed',
  )
  console.log(`${led.length} connections to the service’s endpoint on the other node are remembered once, as allowed`)
}

/** A policy cuts the stream that it does not allow, and lets the other one go on. */
async function showPolicy(): Promise<void> {
  const streams = await Promise.all([web, api].map((pod) => startBulk(pod.fd, { fd: sink.fd, address: sink.address })))
  const hears = async (pod: Pod): Promise<number> => {
    const { received } = countersOf(pod.fd)
    await Bun.sleep(3_000)
    return countersOf(pod.fd).received - received
  }
  for (const pod of [web, api]) await eventually(`${pod.name} sends`, async () => (await hears(pod)) > 0, PATIENCE_MS)
  console.log(`both send: ${await hears(sink)} bytes arrive at sink in 3 s`)
  const policy = onlyFrom('sink', 'web')
  const key = `${policy.namespace}/${policy.name}`
  const { revision } = await registry.create('NetworkPolicy', key, policy)
  await eventually('api is cut off', async () => (await hears(api)) === 0, PATIENCE_MS)
  ok((await hears(web)) > 0, 'the allowed stream does not go on')
  console.log('a policy that allows web alone: api hears nothing, web goes on')
  const fromNode = await run(['nsenter', `--net=/run/netns/${far.netns}`, 'ping', '-c', '1', '-W', '10', sink.address])
  equal(fromNode.code, 0, 'the node does not reach its own pod')
  await registry.delete('NetworkPolicy', key, revision)
  await eventually('the cut stream goes on without the policy', async () => (await hears(api)) > 0, PATIENCE_MS)
  console.log('without it, api goes on')
  for (const stream of streams) stream.close()
}

async function answers({ netns }: Pod, to: Ip, ...words: readonly string[]): Promise<boolean> {
  return (await run(['nsenter', `--net=/run/netns/${netns}`, 'ping', '-c', '1', '-W', '5', ...words, to])).code === 0
}

function addressesOf({ address, address6 }: Pod): readonly Ip[] {
  return [address, address6]
}
