/**
 * What a playground needs of the machine, asked before anything is made.
 * @module
 */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { linkAdd } from '../linux/netlink/link-add.ts'
import { openRtnl } from '../linux/netlink/rtnl-socket.ts'
import { netnsNew } from '../linux/netns.ts'
import { closeFd } from '../linux/socket.ts'
import { PlaygroundError } from './errors.ts'
import { companionFolder } from './self.ts'

const TOOLS: readonly (readonly [tool: string, debianPackage: string])[] = [
  ['ovsdb-tool', 'openvswitch-switch'],
  ['ovsdb-server', 'openvswitch-switch'],
  ['ovs-vswitchd', 'openvswitch-switch'],
  ['ovs-vsctl', 'openvswitch-switch'],
  ['nft', 'nftables'],
  ['ip', 'iproute2'],
  ['openssl', 'openssl'],
  ['unshare', 'util-linux'],
  ['nsenter', 'util-linux'],
  ['setpriv', 'util-linux'],
  ['hostname', 'hostname'],
]

/** Throws PLAY_PERMISSION, PLAY_TOOL_MISSING or PLAY_KERNEL for the first thing that is missing. */
export function checkMachine(): void {
  requireRoot()
  for (const [tool, debianPackage] of TOOLS) {
    if (!isOnPath(tool)) throw missing(tool, `apt-get install ${debianPackage}, or npm run play, which does`)
  }
  if (!existsSync(join(companionFolder(), 'weft-cni'))) throw missing('the CNI plugin', 'npm run build')
  checkKernel()
}

/** Throws PLAY_PERMISSION for anybody but root, who alone may look into a playground's folder. */
export function requireRoot(): void {
  if (process.getuid?.() === 0) return
  const cause = 'the playground lives in network namespaces, which takes root'
  throw new PlaygroundError('PLAY_PERMISSION', cause, 'run it with sudo')
}

/** Makes one of each kind of link, in a namespace that is gone afterwards. */
function checkKernel(): void {
  const fd = netnsNew()
  try {
    using rtnl = openRtnl({ nsFd: fd })
    linkAdd(rtnl, { kind: 'veth', name: 'a', peer: { name: 'b' } })
    linkAdd(rtnl, { kind: 'bridge', name: 'c' })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const remedy = 'use a kernel with CONFIG_VETH and CONFIG_BRIDGE (modprobe veth bridge)'
    throw new PlaygroundError('PLAY_KERNEL', `the kernel makes no veth or bridge (${why})`, remedy, { cause })
  } finally {
    closeFd(fd)
  }
}

function isOnPath(tool: string): boolean {
  const folders = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`.split(delimiter)
  return folders.some((folder) => existsSync(join(folder, tool)))
}

function missing(what: string, remedy: string): PlaygroundError {
  return new PlaygroundError('PLAY_TOOL_MISSING', `${what} is missing`, remedy)
}
