/**
 * A node's container runtime: Debian's containerd with runc, its own sockets, state and images.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { run } from '../lab/command.ts'
import { PAUSE_IMAGE } from './image.ts'
import { hostPath, inNode } from './node-host.ts'
import type { NodePlace, Places } from './places.ts'
import { startUp } from './programs.ts'

/** Where it listens, as programs of the node see it. */
export const RUNTIME_SOCKET = '/run/containerd/containerd.sock'
const CONFIG = '/etc/containerd/rig.toml'

/** Starts containerd and waits until it answers. */
export async function startRuntime(places: Places, node: NodePlace): Promise<number> {
  const file = hostPath(node, CONFIG)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, CONFIGURATION)
  const way = inNode(places, node)
  const argv = ['containerd', '--config', CONFIG]
  const answers = async (): Promise<boolean> => (await ctr(places, node, 'version')).code === 0
  return startUp(places.layout, { role: `${node.name}-containerd`, way, argv }, answers, 60_000)
}

/** Imports an archive of images, for the kubelet's use. Throws when the runtime refuses. */
export async function importImages(places: Places, node: NodePlace, archive: string): Promise<void> {
  const { code, stderr } = await ctr(places, node, '-n', 'k8s.io', 'images', 'import', archive)
  if (code !== 0) throw new Error(`${node.name} does not take ${archive}: ${stderr}`)
}

/** `ctr …` on a node. */
export function ctr(places: Places, node: NodePlace, ...args: readonly string[]): ReturnType<typeof run> {
  return run([...inNode(places, node), 'ctr', '--address', RUNTIME_SOCKET, ...args])
}

/** Without CAP_SYS_RESOURCE nobody's score can be lowered: containerd is told not to try. */
const CONFIGURATION = `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt"]

[grpc]
address = "${RUNTIME_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${PAUSE_IMAGE}"
restrict_oom_score_adj = true
disable_tcp_service = true

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/opt/cni/bin"
conf_dir = "/etc/cni/net.d"
`
