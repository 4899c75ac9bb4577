/**
 * A node as a machine of its own: network, mount and UTS namespaces, held by one sleeping process. What programs write to
 * /etc, /opt, /usr/local or /var of a node stays the node's, and so do a few settings of the kernel.
 * @module
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { netnsPath } from '../../src/playground/layout.ts'
import { findProcesses, type PlayProcess, startOf, until } from '../../src/playground/processes.ts'
import { run } from '../lab/command.ts'
import type { NodePlace, Places } from './places.ts'
import { startUp } from './programs.ts'

/** Folders of the machine that a node sees with changes of its own. */
const OVERLAID = ['etc', 'opt', 'usr/local', 'var'] as const
/** Folders that overlays cannot lie under, or that begin empty. */
const OWN = ['etc/cni', 'opt/cni', 'run', 'var/lib/cni', 'var/lib/containerd', 'var/lib/kubelet'] as const
/** What a kubelet writes of the kernel's settings: it changes a file of the node's. */
const SETTINGS = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
] as const
const LOOPBACK = '/usr/lib/cni/loopback'
const READY = '/run/node-is-ready'

/** Makes a node's namespaces and files. The network namespace is there already. */
export async function startHost({ layout, nodes }: Places, node: NodePlace): Promise<void> {
  for (const name of OVERLAID) {
    mkdirSync(join(node.changes, 'upper', name), { recursive: true })
    mkdirSync(join(node.changes, 'work', name), { recursive: true })
  }
  for (const name of OWN) mkdirSync(join(node.changes, 'own', name), { recursive: true })
  const etc = join(node.changes, 'upper/etc')
  mkdirSync(join(etc, 'kubernetes/manifests'), { recursive: true })
  // What every node has of its system's packages: no sandbox comes to be without its loopback.
  mkdirSync(hostPath(node, '/etc/cni/net.d'), { recursive: true })
  mkdirSync(hostPath(node, '/opt/cni/bin'), { recursive: true })
  copyFileSync(LOOPBACK, hostPath(node, '/opt/cni/bin/loopback'))
  const hosts = nodes.flatMap(({ name, addresses }) => addresses.map((address) => `${address} ${name}`))
  writeFileSync(join(etc, 'hosts'), ['127.0.0.1 localhost', '::1 localhost', ...hosts, ''].join('\n'))
  writeFileSync(join(etc, 'resolv.conf'), '')
  writeFileSync(join(etc, 'hostname'), `${node.name}\n`)
  const script = join(node.dir, 'host.sh')
  writeFileSync(script, scriptOf(node), { mode: 0o700 })
  const way = ['nsenter', `--net=${netnsPath(node.netns)}`, '--', 'unshare', '--mount', '--uts', '--']
  const ready = join(node.changes, 'own', READY)
  const isUp = async (): Promise<boolean> => (await run(['test', '-e', ready])).code === 0
  const role = holderOf(node)
  const pid = await startUp(layout, { role, way, argv: ['sh', script] }, isUp, 15_000)
  // Not looked for: while it becomes `sleep`, its environment cannot be read.
  holders.set(node.netns, { pid, start: startOf(pid) ?? '', role })
}

/** The way into a node's namespaces. Throws when the node is not there. */
export function inNode({ layout }: Places, node: NodePlace): readonly string[] {
  const known = holders.get(node.netns)
  const holder = known !== undefined && startOf(known.pid) === known.start ? known : findHolder(layout, node)
  return ['nsenter', `--target=${holder.pid}`, '--mount', '--uts', '--net', '--']
}

/** By network namespace. Looking through all processes takes a while: who was found is looked at again only. */
const holders = new Map<string, PlayProcess>()

function findHolder({ runDir }: Places['layout'], node: NodePlace): PlayProcess {
  const holder = findProcesses(runDir).find(({ role }) => role === holderOf(node))
  if (holder === undefined) throw new Error(`${node.name} is not there`)
  holders.set(node.netns, holder)
  return holder
}

/** A path of the node's own folders, as the machine has it. */
export function hostPath(node: NodePlace, path: string): string {
  const inside = path.slice(1)
  if (inside.startsWith('run/openvswitch/')) return join(node.ovsDir, inside.slice('run/openvswitch/'.length))
  const own = OWN.some((folder) => inside.startsWith(`${folder}/`))
  return join(node.changes, own ? 'own' : 'upper', inside)
}

/** Waits until a program of the node has opened a socket. */
export function opened(node: NodePlace, path: string, milliseconds: number): Promise<boolean> {
  return until(async () => (await run(['test', '-S', hostPath(node, path)])).code === 0, milliseconds)
}

function holderOf({ name }: NodePlace): string {
  return `${name}-host`
}

function scriptOf(node: NodePlace): string {
  const at = (name: string): string => join(node.changes, name)
  const overlays = OVERLAID.map(
    (name) =>
      `mount -t overlay overlay -o lowerdir=/${name},upperdir=${at(`upper/${name}`)},workdir=${at(`work/${name}`)} /${name}`,
  )
  const binds = OWN.map((name) => `mkdir -p /${name} && mount --bind ${at(`own/${name}`)} /${name}`)
  const settings = SETTINGS.map((name) => {
    const file = at(`own/settings-${name.replaceAll('/', '.')}`)
    return `cat /proc/sys/${name} > ${file} && mount --bind ${file} /proc/sys/${name}`
  })
  return `set -eu
mount --make-rprivate /
# Other namespaces of the machine: a copy of their mounts would keep them alive.
awk '$5 ~ "^/run/netns" { print $5 }' /proc/self/mountinfo | sort -r | while read -r path; do umount -l "$path" || true; done
# What /sys says of links is said of those of the namespace that it was mounted in.
mkdir -p ${at('sys')}
mount -t sysfs sysfs ${at('sys')}
mount --rbind /sys/fs/cgroup ${at('sys')}/fs/cgroup
mount --rbind ${at('sys')} /sys
${overlays.join('\n')}
${binds.join('\n')}
${settings.join('\n')}
mkdir -p /run/openvswitch /run/netns /run/lock
mount --bind ${node.ovsDir} /run/openvswitch
# Mounts of containers come back to the node where a pod asks for it.
mount --make-rshared /
hostname ${node.name}
touch ${READY}
exec sleep 2147483647
`
}
