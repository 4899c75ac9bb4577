/**
 * Pods on the kernel's datapath, inside the guest that `main.ts` starts: those of a tenant reach each other over both
 * families, by ping and TCP, and no others; the node reaches all; what is known passes while ovs-vswitchd is dead, and all does when it
 * runs again. Prints what it sees, and ends with 1 when something is not as it should be.
 * @module
 */
import { equal, ok } from 'node:assert/strict'
import { startBulk } from '../lab/bulk.ts'
import { run } from '../lab/command.ts'
import { eventually } from '../lab/lab.ts'
import { describeTally, startPinger } from '../lab/pinger.ts'
import { PATIENCE_MS, startGuestAgent } from './guest-agent.ts'
import type { Pod } from './guest-pod.ts'

const { agent, attach, ovs, stop } = await startGuestAgent()
const web = await attach('web')
const api = await attach('api')
const vault = await attach('vault', undefined, 'bank')
for (const [from, to, reaches] of [
  [web, api, true],
  [api, web, true],
  [web, vault, false],
  [vault, api, false],
] as const) {
  for (const address of [to.address, to.address6]) {
    const answers = await pings(['ip', 'netns', 'exec', from.netns], address)
    console.log(`${from.name} → ${to.name} ${address}: ${answers ? 'an answer' : 'none'}`)
    equal(answers, reaches)
  }
}
for (const pod of [web, vault]) {
  for (const address of [pod.address, pod.address6]) {
    const answers = await pings([], address)
    console.log(`the node → ${pod.name} ${address}: ${answers ? 'an answer' : 'none'}`)
    ok(answers)
  }
}
for (const address of [api.address, api.address6]) {
  const stream = await startBulk(web.fd, { fd: api.fd, address })
  stream.close()
  console.log(`web → api ${address}: a TCP connection stands`)
}
const { fragments, installed } = await agent.facts()
equal(fragments.flatMap(({ flows }) => flows).length, installed.length)
await showDeath()
for (const pod of [web, api, vault] satisfies readonly Pod[]) await pod.del()
await stop()
console.log('as it should be')
process.exit(0)

async function showDeath(): Promise<void> {
  const pingers = [api.address, api.address6].map((address) => startPinger(web.fd, address, 100))
  const more = (what: string): Promise<void> => {
    const before = pingers.map(({ answered }) => answered)
    return eventually(what, () => pingers.every(({ answered }, at) => answered > (before[at] ?? 0) + 20), PATIENCE_MS)
  }
  await more('pings are answered')
  await ovs.killVswitchd()
  await more('pings are answered while ovs-vswitchd is dead')
  console.log('ovs-vswitchd is dead: web → api as before')
  await ovs.startVswitchd()
  await more('pings are answered when ovs-vswitchd runs again')
  const isWritten = async () => {
    const { fragments, installed } = await agent.facts()
    return installed.length > 0 && fragments.flatMap(({ flows }) => flows).length === installed.length
  }
  await eventually('the switch has all flows again', isWritten, PATIENCE_MS)
  const reaches = () => pings(['ip', 'netns', 'exec', api.netns], web.address)
  await eventually('what was not known passes', reaches, PATIENCE_MS)
  ok(!(await pings(['ip', 'netns', 'exec', web.netns], vault.address)), 'another tenant is reached')
  for (const pinger of pingers) console.log(`ovs-vswitchd killed and started: ${describeTally(await pinger.stop())}`)
}

async function pings(inside: readonly string[], address: string): Promise<boolean> {
  return (await run([...inside, 'ping', '-c', '2', '-W', '3', address])).code === 0
}
