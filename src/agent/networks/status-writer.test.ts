/** What is told of a pod's networks, and how often it is tried. */
import { expect, test } from 'bun:test'
import { EMPTY_RESULT } from '../../cni/index.ts'
import { NETWORK_STATUS } from '../../compat/multus/network-status.ts'
import type { NetworkRecord } from './record.ts'
import { type AnnotatePod, StatusWriter } from './status-writer.ts'

const record = (address: string): NetworkRecord => ({
  containerId: 'c1',
  ifname: 'eth0',
  program: 'weft',
  network: 'weft',
  netns: '/run/netns/p1',
  path: [],
  pod: { namespace: 'shop', name: 'cart', uid: 'u1' },
  attached: [
    {
      ifname: 'eth0',
      ordinal: 0,
      definition: 'kube-system/net',
      origin: { kind: 'node' },
      network: 'net',
      version: '1.0.0',
      args: '',
      plugins: [],
      result: {
        ...EMPTY_RESULT,
        interfaces: [{ name: 'eth0', sandbox: '/run/netns/p1' }],
        ips: [{ address, interface: 0 }],
      },
    },
    // Not yet attached: nothing is known of it.
    { ifname: 'net1', ordinal: 1, origin: { kind: 'node' }, network: 'n', version: '1.0.0', args: '', plugins: [] },
  ],
})

/** A writer, and what it told; `annotate` hears each try before it counts. */
function writing(annotate?: (text: string, tried: number) => Promise<void>) {
  const written: string[] = []
  const told: string[] = []
  const failed: unknown[] = []
  let tried = 0
  const set: AnnotatePod = async ({ namespace, name, uid }, annotations) => {
    tried += 1
    const text = annotations[NETWORK_STATUS] ?? ''
    await annotate?.(text, tried)
    const [first, ...others] = JSON.parse(text) as readonly { readonly name: string; readonly ips: string[] }[]
    written.push(`${namespace}/${name} ${uid} ${first?.name} ${first?.ips} +${others.length}`)
    return true
  }
  const tell = (_: unknown, reason: string, message: string) => void told.push(`${reason} ${message}`)
  const writer = new StatusWriter(annotate === undefined ? undefined : set, { tell }, (error) => failed.push(error))
  return { writer, written, told, failed }
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i += 1) await Bun.sleep(10)
  expect(condition()).toBe(true)
}

const NONE = async () => undefined

test('an attached pod gets the annotation with what stands, and an event for each interface', async () => {
  const { writer, written, told } = writing(NONE)
  writer.attached(record('10.0.0.1/16'))
  expect(told).toEqual([
    'AddedInterface Add eth0 [10.0.0.1/16] from kube-system/net',
    'AddedInterface Add net1 [] from n',
  ])
  await until(() => written.length > 0)
  expect(written).toEqual(['shop/cart u1 kube-system/net 10.0.0.1 +0'])
})

test('what fails is told and tried again', async () => {
  const { writer, written, failed } = writing(async (_, tried) => {
    if (tried < 3) throw new Error('away')
  })
  writer.write(record('10.0.0.1/16'))
  await until(() => written.length > 0)
  expect(failed).toHaveLength(2)
})

test('the newest word counts: one that came while another was written is written after it', async () => {
  const first = Promise.withResolvers<void>()
  const { writer, written } = writing((_, tried) => (tried === 1 ? first.promise : Promise.resolve()))
  writer.write(record('10.0.0.1/16'))
  writer.write(record('10.0.0.2/16'))
  writer.write(record('10.0.0.3/16'))
  first.resolve()
  await until(() => written.length > 1)
  expect(written.map((line) => line.split(' ')[3])).toEqual(['10.0.0.1', '10.0.0.3'])
})

test('nobody to tell, or no pod: nothing happens', async () => {
  const { pod: _, ...unnamed } = record('10.0.0.1/16')
  const { writer, written, told } = writing(NONE)
  writer.attached(unnamed)
  writing().writer.attached(record('10.0.0.1/16'))
  await Bun.sleep(1)
  expect([written, told]).toEqual([[], []])
})

test('an ADD that did not come to its end, as a loss of power leaves it, takes no word of another sandbox away', async () => {
  const { writer, written } = writing(async () => undefined)
  const whole = record('10.0.0.2/24')
  writer.write(whole)
  const begun = whole.attached.map(({ result: _, ...one }) => one)
  writer.write({ ...whole, containerId: 'c0', attached: begun })
  await until(() => written.length > 0)
  await Bun.sleep(5)
  expect(written).toEqual(['shop/cart u1 kube-system/net 10.0.0.2 +0'])
})
