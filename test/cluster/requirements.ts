/**
 * What a rig needs of the machine.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CONTROL_PARTS } from './control-plane.ts'

const PROGRAMS = ['containerd', 'ctr', 'runc', 'ovs-vswitchd', 'openssl', 'curl', 'nsenter', 'unshare']
const FILES = ['/bin/busybox', '/usr/lib/cni/loopback']
const PACKAGES = 'containerd runc openvswitch-switch openssl curl util-linux busybox-static containernetworking-plugins'

/** Why there can be no rig on this machine; undefined where there can. */
export function missing(assets: string | undefined): string | undefined {
  const kubernetes = [...CONTROL_PARTS, 'kubelet', 'kubectl']
  if (assets === undefined)
    return `SKIPPED: set KUBEBUILDER_ASSETS to a folder with ${kubernetes.join(', ')} to run this`
  const absent = kubernetes.filter((name) => !existsSync(join(assets, name)))
  if (absent.length > 0) return `SKIPPED: ${assets} has no ${absent.join(', ')}`
  const needed = [...PROGRAMS.filter((name) => Bun.which(name) === null), ...FILES.filter((path) => !existsSync(path))]
  if (needed.length > 0) return `SKIPPED: no ${needed.join(', ')}; apt-get install ${PACKAGES}`
  return existsSync('/sys/fs/cgroup/cpu') ? undefined : 'SKIPPED: the rig knows cgroups of version 1 only'
}
