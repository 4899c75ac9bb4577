/**
 * Packets between two nodes' pods without a tunnel, on the kernel's datapath, inside the guest that `main.ts` starts: by direct routes, then
 * by what real BIRDs learned, each with tenants, a service, a policy, a TCP stream and packets of the whole MTU. Prints what it
 * sees, and ends with 1 when something is not as it should be.
 * @module
 */
import { equal, ok } from 'node:assert/strict'
import { familyOf, type Ip } from '../../src/network/model/address.ts'
import type { Fabric } from '../../src/network/model/cluster.ts'
import { countersOf, startBulk } from '../lab/bulk.ts'
import { capture, isEchoRequest, isWrappedEchoRequest } from '../lab/capture.ts'
import { run } from '../lab/command.ts'
import { eventually } from '../lab/lab.ts'
import { describeTally, startPinger } from '../lab/pinger.ts'
import { startGuestCluster } from './guest-cluster.ts'
import { answerOf, askService, offerService, onlyFrom, SERVICE_ADDRESSES } from './guest-objects.ts'
import type { Pod } from './guest-pod.ts'

/** The guest is emulated: everything takes ten times as long. */
const PATIENCE_MS = 120_000
const FAMILIES = [4, 6] as const
const STREAM_BYTES = 2_000_000

const cluster = await startGuestCluster({ way: 'direct', otherwise: 'refuse' })
const [near, far] = cluster.nodes
console.log('two agents are ready on the kernel’s datapath')
const web = await near.attach({ namespace: 'shop', name: 'web', labels: { name: 'web' } })
const api = await near.attach({ namespace: 'shop', name: 'api', labels: { name: 'api' } })
const sink = await far.attach({ namespace: 'shop', name: 'sink', labels: { name: 'sink' } })
const vault = await far.attach({ namespace: 'bank', name: 'vault' })
await offerService(cluster.registry, [sink])

await showAll('direct')
await change({ way: 'direct', otherwise: 'tunnel' }, { way: 'bgp', otherwise: 'tunnel' })
await cluster.take({ way: 'bgp', otherwise: 'refuse' })
const { bgp } = await near.status()
for (const { name, state, routes } of bgp?.sessions ?? []) {
  console.log(`${near.name}: BGP ${name} is ${state}, ${routes?.imported} routes came, ${routes?.exported} went`)
}
await showAll('bgp')
await change({ way: 'bgp', otherwise: 'tunnel' }, { way: 'tunnel', otherwise: 'tunnel' })
await showWire('tunnel', false)
console.log('as it should be')
process.exit(0)

async function showAll(way: string): Promise<void> {
  console.log(`\n${way}`)
  for (const to of addressesOf(sink)) {
    await eventually(`web reaches ${to}`, () => answers(web, to), PATIENCE_MS)
    ok(await answers(web, to, '-s', '4000'))
    console.log(`${way}: web → sink ${to}: an answer, to 4,000 bytes in fragments too`)
  }
  for (const to of addressesOf(vault)) equal(await answers(web, to), false)
  console.log(`${way}: web → vault of another tenant: none`)
  await showWire(way, true)
  for (const to of addressesOf(sink)) {
    const payload = 1500 - (familyOf(to) === 4 ? 28 : 48)
    ok(await answers(web, to, '-M', 'do', '-s', String(payload)))
    equal(await answers(web, to, '-M', 'do', '-s', String(payload + 1)), false)
  }
  console.log(`${way}: 1,500 bytes pass in one piece, 1,501 do not`)
  for (const to of addressesOf(sink)) await showStream(way, to)
  for (const address of SERVICE_ADDRESSES) {
    const expected = answerOf(sink, web, address)
    await eventually(`${address} answers`, async () => (await askService(web, address)) === expected, PATIENCE_MS)
    console.log(`${way}: web → service ${address}: ${expected}`)
  }
  await showPolicy(way)
}

/** What arrives at the other node's uplink. */
async function showWire(way: string, isBare: boolean): Promise<void> {
  const seen = capture(far.fd, 'up0')
  for (const to of addressesOf(sink)) await eventually(`web reaches ${to}`, () => answers(web, to), PATIENCE_MS)
  await Bun.sleep(1_000)
  seen.close()
  const bare = FAMILIES.map((family) => seen.frames.filter((frame) => isEchoRequest(frame, family)).length)
  const wrapped = FAMILIES.flatMap((family) => seen.frames.filter((one) => isWrappedEchoRequest(one, family))).length
  console.log(`${way}: on the wire ${bare.join(' and ')} echo requests bare, ${wrapped} in tunnels`)
  ok(bare.every((count) => count > 0 === isBare))
  equal(wrapped > 0, !isBare)
}

/** With what network cards leave to be done later: checksums, cutting into segments. */
async function showStream(way: string, address: Ip): Promise<void> {
  const before = countersOf(sink.fd).received
  const stream = await startBulk(web.fd, { fd: sink.fd, address })
  const since = performance.now()
  await eventually('a stream arrives', () => countersOf(sink.fd).received - before > STREAM_BYTES, PATIENCE_MS)
  stream.close()
  console.log(`${way}: two megabytes by TCP to ${address} in ${((performance.now() - since) / 1000).toFixed(1)} s`)
}

async function showPolicy(way: string): Promise<void> {
  const policy = onlyFrom('sink', 'web')
  const name = `${policy.namespace}/${policy.name}`
  const { revision } = await cluster.registry.create('NetworkPolicy', name, policy)
  for (const to of addressesOf(sink)) {
    await eventually(`api does not reach ${to}`, async () => !(await answers(api, to)), PATIENCE_MS)
    ok(await answers(web, to))
  }
  console.log(`${way}: a policy of sink’s allows web alone: api has no answer, web has`)
  await cluster.registry.delete('NetworkPolicy', name, revision)
  for (const to of addressesOf(sink)) await eventually(`api reaches ${to}`, () => answers(api, to), PATIENCE_MS)
}

/** Under a ping of each family every 100 ms. */
async function change(...fabrics: readonly Fabric[]): Promise<void> {
  const pingers = addressesOf(sink).map((address) => startPinger(web.fd, address, 100))
  for (const fabric of fabrics) await cluster.take(fabric)
  await Bun.sleep(5_000)
  for (const pinger of pingers) {
    const tally = await pinger.stop()
    console.log(
      `${fabrics.map(({ way, otherwise }) => `${way}, else ${otherwise}`).join('; ')}: ${describeTally(tally)}`,
    )
  }
}

async function answers(from: Pod, to: Ip, ...words: readonly string[]): Promise<boolean> {
  return (await inside(from, 'ping', '-c', '1', '-W', '5', ...words, to)).code === 0
}

function addressesOf({ address, address6 }: Pod): readonly Ip[] {
  return [address, address6]
}

function inside({ netns }: Pod, ...command: readonly string[]) {
  return run(['nsenter', `--net=/run/netns/${netns}`, ...command])
}
