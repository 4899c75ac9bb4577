/**
 * A kubelet's old calls on the same pods: they name a container where CNI names a namespace, so its processes are looked for.
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { UnderlayError } from '../../compat/ovn-underlay/errors.ts'
import { EXEC_INTERFACE, type ExecCall, isInContainer, podNetworkStatus } from '../../compat/ovn-underlay/exec.ts'
import { parseUnderlayNetconf } from '../../compat/ovn-underlay/netconf.ts'
import { closeFd, netnsOpen, openRtnl } from '../../linux/index.ts'
import { connectOvsdb } from '../../ovs/ovsdb/index.ts'
import { readPods } from '../state.ts'
import { attachPod, detachPod, isOf } from './attach.ts'

/** The network's name in the records of such pods. */
const NETWORK = 'exec'

/** Serves a call about a pod; resolves to what is printed. */
export async function serveExec(call: Exclude<ExecCall, { readonly verb: 'init' }>, socket: string): Promise<string> {
  const config = parseUnderlayNetconf({})
  using rtnl = openRtnl()
  using ovs = await connectOvsdb({ path: socket })
  const key = { containerId: call.containerId, ifname: EXEC_INTERFACE }
  switch (call.verb) {
    case 'setup': {
      const netns = netnsOf(call.containerId)
      const nsFd = netnsOpen(netns)
      try {
        const pod = { ...key, netns, nsFd, network: NETWORK, pod: `${call.namespace}/${call.pod}` }
        await attachPod({ rtnl, ovs }, pod, config)
        return ''
      } finally {
        closeFd(nsFd)
      }
    }
    case 'status': {
      const row = (await readPods(ovs)).find((one) => isOf(one, key))
      return row === undefined ? '' : `${podNetworkStatus(row.address)}\n`
    }
    case 'teardown':
      await detachPod({ rtnl, ovs }, key, config.hostBridge)
      return ''
  }
}

/** The network namespace of a container: runtimes name its control group after it. Never the machine's own one. */
function netnsOf(containerId: string): string {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const pids = all.filter((pid) => isInContainer(cgroupOf(pid), containerId))
  const pid = pids.find((one) => namespaceOf(one) !== namespaceOf('self'))
  if (pid !== undefined) return `/proc/${pid}/ns/net`
  const cause =
    pids.length === 0
      ? `no process of this machine is in a control group of container ${containerId}`
      : `container ${containerId} has the network of the machine itself`
  throw new UnderlayError('UNDERLAY_USAGE', cause, 'see whether it runs, and give its whole ID')
}

/** Also that of a process that has just ended, which is in none. */
function namespaceOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return namespaceOf('self')
  }
}

function cgroupOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8')
  } catch {
    // It has just ended.
    return ''
  }
}
