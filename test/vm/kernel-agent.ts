/**
 * Bandwidth by the whole agent on the kernel's datapath, inside the guest that `main.ts` starts: limits of pods, totals of
 * namespaces and shares of the uplink by what the registry says. Prints what it measures, and ends with 1 when something
 * is not as it should be.
 * @module
 */
import { ok } from 'node:assert/strict'
import type { LimitFact } from '../../src/agent/qos/limiter.ts'
import { DETOURS } from '../../src/agent/qos/on-node.ts'
import { classList, linkGet, qdiscList } from '../../src/linux/index.ts'
import type { Bandwidth } from '../../src/network/model/bandwidth.ts'
import { measure, startBulk } from '../lab/bulk.ts'
import { eventually } from '../lab/lab.ts'
import { PATIENCE_MS, startGuestAgent } from './guest-agent.ts'
import type { Pod } from './guest-pod.ts'

const SECONDS = 10

const { agent, registry, rtnl, uplink, attach, stop } = await startGuestAgent()
const web = await attach('web', { toPod: { rate: 10e6 }, fromPod: { rate: 10e6 } })
const api = await attach('api')
const cart = await attach('cart')
await held('web', ({ inForce }) => inForce.toPod?.rate === 10e6 && inForce.fromPod?.rate === 10e6)
for (const attempt of [1, 2, 3]) {
  const streams = await Promise.all([stream(web, cart), stream(cart, web)])
  const [ofWeb, ofCart] = await Promise.all([measure(web.fd, SECONDS * 1000), measure(cart.fd, SECONDS * 1000)])
  for (const one of streams) one.close()
  console.log(
    `10 Mbit/s both ways: web receives ${shown(ofWeb.received)}, what it sends arrives with ${shown(ofCart.received)}`,
  )
  const rates = [ofWeb.received, ofCart.received]
  ok(Math.max(...rates) < 10e6 * 1.05, 'too fast')
  if (Math.min(...rates) > 10e6 * 0.95) break
  ok(attempt < 3, 'too slow, three times')
}
await ask('web', undefined)
await eventually('web is not limited', async () => (await agent.bandwidth()).length === 0, PATIENCE_MS)
console.log('the limit is lifted')

const since = performance.now()
const stored = await registry.get('Namespace', 'shop')
await registry.update(
  'Namespace',
  'shop',
  { name: 'shop', uid: 'u', totals: { fromPod: { rate: 20e6 } } },
  stored?.revision ?? 0,
)
await held('', ({ inForce }) => inForce.fromPod?.rate === 20e6)
console.log(
  `a total of 20 Mbit/s for what the namespace sends: in force after ${Math.round(performance.now() - since)} ms`,
)
const both = await Promise.all([stream(web, cart), stream(api, cart), stream(api, cart)])
await Bun.sleep(1_000)
const [one, other, all] = await Promise.all([web, api, cart].map(({ fd }) => measure(fd, SECONDS * 1000)))
for (const each of both) each.close()
console.log(
  `web, one stream, ${shown(one?.sent ?? 0)}; api, two streams, ${shown(other?.sent ?? 0)}; ${shown(all?.received ?? 0)} arrive`,
)
// What cart answers is of its namespace too.
ok((all?.received ?? 0) < 20e6 * 1.05 && (all?.received ?? 0) > 20e6 * 0.85)
ok(Math.min(one?.sent ?? 0, other?.sent ?? 0) / Math.max(one?.sent ?? 1, other?.sent ?? 1) > 0.75, 'no fair shares')

const classes = classList(rtnl, uplink).map(({ handle }) => (handle % 0x10000).toString(16))
console.log(`classes on the uplink: ${classes.sort().join(' ')}`)
ok(classes.length === 5, 'all, the node, and three pods')
const { fragments, installed } = await agent.facts()
ok(fragments.flatMap(({ flows }) => flows).length === installed.length, 'the switch is not as planned')
for (const pod of [web, api, cart]) await pod.del()
await eventually(
  'nothing is left of the pods',
  () => {
    const detour = linkGet(rtnl, DETOURS.fromPod.name).index
    return classList(rtnl, detour).length === 0 && classList(rtnl, uplink).length === 2
  },
  PATIENCE_MS,
)
console.log('nothing is left of them')
await stop()
ok(qdiscList(rtnl, { link: uplink }).length > 0, 'an agent that stops leaves what it made')
console.log('as it should be')
process.exit(0)

async function ask(name: string, bandwidth: Bandwidth | undefined): Promise<void> {
  const known = await registry.get('Pod', `shop/${name}`)
  if (known === undefined) throw new Error(name)
  const { bandwidth: _, ...pod } = known.value
  await registry.update('Pod', `shop/${name}`, bandwidth === undefined ? pod : { ...pod, bandwidth }, known.revision)
}

async function held(pod: string, holds: (fact: LimitFact) => boolean): Promise<void> {
  const isSo = async () => (await agent.bandwidth()).some((fact) => fact.pod === pod && holds(fact))
  await eventually(`${pod} is held as it should be`, isSo, PATIENCE_MS)
}

function stream(from: Pod, to: Pod) {
  return startBulk(from.fd, { fd: to.fd, address: to.address })
}

function shown(rate: number): string {
  return `${(rate / 1e6).toFixed(2)} Mbit/s`
}
