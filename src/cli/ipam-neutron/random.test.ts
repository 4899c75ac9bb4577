/** Pods that come and go at random on a line that fails: at the end no port is left, and none is there twice. */
import { expect, test } from 'bun:test'
import { DUAL, NETWORK, type Trouble } from '../../compat/ipam-neutron/testing/small-neutron.ts'
import { neutronError } from '../../openstack/testing/fake-cloud.ts'
import { type Call, Caller } from './testing/caller.ts'

const PODS = Number(process.env['WEFT_PODS'] ?? 150)
/** Calls at a time. */
const WORKERS = 50

const busy = () => new Response('', { status: 503 })
const failed = () => neutronError(500, 'IPAllocationFailed')
const torn = () => new Response('{"port": {', { headers: { 'content-length': '900' } })
const TROUBLES: readonly Trouble[] = [
  { kind: 'refused', answer: busy },
  { kind: 'refused', answer: failed },
  { kind: 'refused', answer: () => neutronError(409, 'OverQuota') },
  { kind: 'lost', answer: busy },
  { kind: 'lost', answer: failed },
  { kind: 'lost', answer: torn },
  { kind: 'late', by: 200, answer: busy },
]

test('pods come and go', async () => {
  const caller = new Caller()
  const chance = (probability: number): boolean => Math.random() < probability
  const counted = { add: 0, failed: 0, ended: 0, troubles: 0 }
  caller.neutron.trouble = () => {
    if (!chance(0.2)) return undefined
    counted.troubles += 1
    return TROUBLES[Math.floor(Math.random() * TROUBLES.length)]
  }
  const callOf = (id: string): Call => ({
    env: { CNI_CONTAINERID: id },
    networks: id.endsWith('0') ? [NETWORK, DUAL] : [NETWORK],
    version: '1.0.0',
  })
  const told = new Map<string, readonly string[]>()

  /** As a runtime: what fails is tried again, or deleted. */
  const add = async (id: string): Promise<void> => {
    const ending = new AbortController()
    const timer = chance(0.2) ? setTimeout(() => ending.abort(), Math.random() * 50) : undefined
    const { status, answer } = await caller.call('ADD', { ...callOf(id), options: { signal: ending.signal } })
    clearTimeout(timer)
    counted.add += 1
    if (ending.signal.aborted) counted.ended += 1
    if (status === 0) {
      told.set(
        id,
        answer.ips.map(({ address }: { address: string }) => address.replace(/\/.*/, '')),
      )
      return
    }
    counted.failed += 1
    if (chance(0.5)) return add(id)
    await del(id)
  }
  const del = async (id: string): Promise<void> => {
    told.delete(id)
    while ((await caller.call('DEL', callOf(id))).status !== 0) counted.failed += 1
  }

  const pods = Array.from({ length: PODS }, (_, at) => `pod-${at}`)
  await byWorkers([...pods], async (id) => {
    await add(id)
    if (chance(0.3)) await add(id)
    if (chance(0.5)) await del(id)
  })
  const found = caller.ports().map((port) => `${port['device_id']} ${addressesOf(port)}`)
  const expected = [...told].flatMap(([id, ips]) => portsOf(ips).map((addresses) => `weft:${id}/dummy0 ${addresses}`))
  expect(found.toSorted()).toEqual(expected.toSorted())
  expect([counted.troubles > PODS / 4, counted.ended > 0, counted.failed > 0]).toEqual([true, true, true])
  await byWorkers([...told.keys()], del)
  expect(caller.ports()).toEqual([])
  await caller.stop()
}, 600_000)

/** Of the first network one address, of the second one of each family. */
function portsOf(ips: readonly string[]): readonly string[] {
  const [first = '', ...second] = ips
  return second.length === 0 ? [first] : [first, second.join()]
}

function addressesOf(port: Readonly<Record<string, unknown>>): string {
  return (port['fixed_ips'] as readonly { readonly ip_address: string }[]).map((one) => one.ip_address).join()
}

async function byWorkers(items: string[], work: (item: string) => Promise<void>): Promise<void> {
  const worker = async (): Promise<void> => {
    for (let item = items.shift(); item !== undefined; item = items.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: WORKERS }, worker))
}
