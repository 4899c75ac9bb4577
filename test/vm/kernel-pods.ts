/**
 * Pods on the kernel's datapath, inside the guest that `main.ts` starts: those of a tenant reach each other over both
 * families, by ping and TCP, and no others; the node reaches all. Prints what it sees, and ends with 1 when something is not as
 * it should be.
 * @module
 */
import { equal, ok } from 'node:assert/strict'
import { startBulk } from '../lab/bulk.ts'
import { run } from '../lab/command.ts'
import { startGuestAgent } from './guest-agent.ts'
import type { Pod } from './guest-pod.ts'

const { agent, attach, stop } = await startGuestAgent()
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
for (const pod of [web, api, vault] satisfies readonly Pod[]) await pod.del()
await stop()
console.log('as it should be')
process.exit(0)

async function pings(inside: readonly string[], address: string): Promise<boolean> {
  return (await run([...inside, 'ping', '-c', '2', '-W', '3', address])).code === 0
}
