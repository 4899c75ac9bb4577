import { expect, test } from 'bun:test'
import { EMPTY_RESULT } from '../../cni/index.ts'
import type { Plugin, Plugins } from '../plugins/plugin.ts'
import type { Attached, NetworkRecord } from './record.ts'
import { restoreStanding } from './restore.ts'

const one: Attached = {
  ifname: 'net1',
  ordinal: 1,
  origin: { kind: 'node' },
  network: 'wire',
  version: '1.0.0',
  args: 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart',
  plugins: [{ type: 'ovs' }, { type: 'broken' }, { type: 'tuning' }],
  result: EMPTY_RESULT,
}
const { result: _, ...unfinished } = one
const record = (containerId: string, attached: readonly Attached[]): NetworkRecord => ({
  containerId,
  ifname: 'eth0',
  program: 'weft',
  network: 'weft',
  netns: `/run/netns/${containerId}`,
  path: [],
  attached,
})

test('every step of what stands is asked, and one that fails does not keep the others from it', async () => {
  const asked: string[] = []
  const step = {} as Plugin
  const plugins: Plugins = {
    plugin: (type) => {
      if (type === 'broken') throw new Error('broken')
      const restore: Plugin['restore'] = async ({ containerId, ifname, config, netnsPath, args }) =>
        void asked.push([containerId, ifname, config['type'], netnsPath, args.pod?.name].join(' '))
      return type === 'tuning' ? step : { ...step, restore }
    },
    ipam: () => step,
  }
  const failed: string[] = []
  const records = [
    record('a', [one]),
    { ...record('b', [one]), isLeaving: true as const },
    record('c', [unfinished, one]),
  ]
  await restoreStanding(records, plugins, (error, { containerId }) => failed.push(`${containerId}: ${error}`))
  expect(asked).toEqual(['a net1 ovs /run/netns/a cart', 'c net1 ovs /run/netns/c cart'])
  expect(failed).toEqual(['a: Error: broken', 'c: Error: broken'])
})
