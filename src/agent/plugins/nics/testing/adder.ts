/**
 * An agent that moves the NIC `up0` into a pod and home again, over and over, until it is killed. Namespaces are those of the
 * program that started it, by descriptor: `bun adder.ts <pid> <node> <pod> <state folder>`.
 * @module
 */
import { NO_ARGS } from '../../../../cni/index.ts'
import { netnsOpen, openRtnl } from '../../../../linux/index.ts'
import type { PluginCallInside } from '../../plugin.ts'
import { NicNotes } from '../notes.ts'
import { HostDevicePlugin } from '../plugin.ts'

const [pid = '', node = '', pod = '', stateDir = ''] = process.argv.slice(2)
const nodeFd = netnsOpen(`/proc/${pid}/fd/${node}`)
const path = `/proc/${pid}/fd/${pod}`
const podFd = netnsOpen(path)
const plugin = new HostDevicePlugin({
  home: { rtnl: openRtnl({ nsFd: nodeFd }), nsFd: nodeFd, sysfs: '/nonexistent', boot: 'first' },
  notes: new NicNotes(stateDir),
  plugins: {
    ipam: () => {
      throw new Error('none')
    },
  },
  grants: () => ({ trustedNamespaces: new Set(), types: new Set(), bridges: [] }),
  announce: () => undefined,
  bridgeOf: async () => undefined,
  portFacts: () => Promise.reject(new Error('none')),
})
const call: PluginCallInside = {
  ...{ containerId: 'c1', ifname: 'net1', network: 'n', version: '1.0.0', ordinal: 1, plan: 'of a test', path: [] },
  config: { name: 'n', cniVersion: '1.0.0', type: 'host-device', device: 'up0' },
  origin: { kind: 'node' },
  args: NO_ARGS,
  netns: { fd: podFd, path },
}
console.log('ready')
for (;;) {
  await plugin.add(call, new AbortController().signal)
  await plugin.del(call)
}
