/**
 * API servers for machines in network namespaces, which reach them by a socket: the playground's own, and a real one with an
 * account that may do what flannel's role allows.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeApi } from '../../src/kube/api.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { loadKubeconfig } from '../../src/kube/kubeconfig.ts'
import { cidr } from '../../src/network/model/address.ts'
import { formats } from '../../src/playground/apiserver/all-formats.ts'
import { kubeconfig } from '../../src/playground/apiserver/http/kubeconfig.ts'
import { serveApi } from '../../src/playground/apiserver/serve.ts'
import { ControlPlane } from '../kube/control-plane.ts'
import { runKubectl } from '../kube/kubectl.ts'

/** A cluster's API server. */
export interface TestCluster {
  readonly admin: KubeApi
  /** For flanneld. */
  readonly kubeconfig: string
  /** Makes everything that happened so far history that nobody can watch from. Absent where that takes an hour. */
  readonly forgetPast?: () => Promise<void>
  stop(): Promise<void>
}

/** The playground's own server. */
export async function embeddedCluster(folder: string): Promise<TestCluster> {
  const [dir, socket, own] = [join(folder, 'api'), join(folder, 'api.sock'), join(folder, 'flannel.kubeconfig')]
  const server = await serveApi({ dir, socket, formats, serviceNetworks: [cidr('172.30.0.0/16')] })
  server.writeKubeconfig(own, 'admin', 'socket')
  const admin = new KubeClient(loadKubeconfig(own, {}))
  const stop = async (): Promise<void> => {
    admin.close()
    await server.stop()
  }
  return { admin, kubeconfig: own, stop }
}

/** A real one. Facts: flannel's manifest, its ClusterRole. */
const ROLE = [
  { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
  { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch'] },
]

/** A real server. */
export async function realCluster(assets: string, folder: string): Promise<TestCluster> {
  const plane = await ControlPlane.start(assets)
  const [own, socket, file] = [join(folder, 'admin'), join(folder, 'api.sock'), join(folder, 'flannel.kubeconfig')]
  plane.writeKubeconfig(own)
  const kubectl = (...args: readonly string[]) => runKubectl({ assets, kubeconfig: own, home: folder }, args)
  const apply = (object: object) => runKubectl({ assets, kubeconfig: own, home: folder }, ['apply', '-f', '-'], object)
  await kubectl('create', 'namespace', 'kube-flannel')
  await kubectl('create', 'serviceaccount', 'flannel', '-n', 'kube-flannel')
  const metadata = { name: 'flannel' }
  await apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata, rules: ROLE })
  await kubectl(
    ...['create', 'clusterrolebinding', 'flannel', '--clusterrole=flannel', '--serviceaccount=kube-flannel:flannel'],
  )
  const token = await kubectl('create', 'token', 'flannel', '-n', 'kube-flannel')
  const { ca, server } = plane.config()
  const access = { url: server, ca: typeof ca === 'string' ? ca : undefined, user: 'flannel', token, socket }
  writeFileSync(file, kubeconfig(access), { mode: 0o600 })
  const relay = relayTo(socket, Number(new URL(server).port))
  const admin = new KubeClient(plane.config())
  return {
    admin,
    kubeconfig: file,
    forgetPast: () => plane.forgetPast(),
    stop: async () => {
      admin.close()
      relay.stop(true)
      await plane.stop()
    },
  }
}

interface End {
  readonly other: Promise<import('bun').Socket<undefined>>
  pending: Buffer
}

/** Hands bytes on between a unix socket and a port of the loopback. */
function relayTo(unix: string, port: number) {
  return Bun.listen<End>({
    unix,
    socket: {
      open: (near) => {
        const other = Bun.connect({
          hostname: '127.0.0.1',
          port,
          socket: {
            data: (_far, bytes) => void send(near, bytes),
            close: () => void near.end(),
            error: () => void near.end(),
          },
        })
        other.catch(() => near.end())
        near.data = { other, pending: Buffer.alloc(0) }
      },
      data: (near, bytes) => {
        const copy = Buffer.from(bytes)
        near.data.other.then((far) => far.write(copy)).catch(() => undefined)
      },
      drain: (near) => void send(near, Buffer.alloc(0)),
      close: (near) => {
        near.data.other.then((far) => far.end()).catch(() => undefined)
      },
    },
  })
}

function send(near: import('bun').Socket<End>, bytes: Uint8Array): void {
  const all = Buffer.concat([near.data.pending, bytes])
  near.data.pending = all.subarray(Math.max(0, near.write(all)))
}
