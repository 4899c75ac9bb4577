/**
 * A node's kubelet.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { run } from '../lab/command.ts'
import { makeGroup } from './cgroups.ts'
import { hostPath, inNode } from './node-host.ts'
import { type NodePlace, type Places, pkiFile } from './places.ts'
import { startUp } from './programs.ts'
import { RUNTIME_SOCKET } from './runtime.ts'

const CONFIG = '/etc/kubernetes/kubelet.json'

/** Where a node's kubelet looks for pods that no API server has to know. */
export const STATIC_PODS = '/etc/kubernetes/manifests'

/** Starts a kubelet and waits until it is healthy. */
export async function startKubelet(places: Places, node: NodePlace): Promise<number> {
  makeGroup(node.cgroup)
  const file = hostPath(node, CONFIG)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(configuration(places, node), null, 2))
  const way = inNode(places, node)
  const argv = [
    `${places.assets}/kubelet`,
    `--config=${CONFIG}`,
    `--kubeconfig=${pkiFile(places, `${node.name}.kubeconfig`)}`,
    `--hostname-override=${node.name}`,
    `--node-ip=${node.addresses.join(',')}`,
    `--cert-dir=${node.dir}/kubelet-pki`,
  ]
  const healthz = ['curl', '-sf', '--noproxy', '*', '--max-time', '2', 'http://127.0.0.1:10248/healthz']
  const isUp = async (): Promise<boolean> => (await run([...way, ...healthz])).code === 0
  return startUp(places.layout, { role: `${node.name}-kubelet`, way, argv }, isUp, 60_000)
}

/** No service manager, cgroups of version 1, no swap accounting, and never a reason to evict: the machine is shared. */
function configuration(places: Places, node: NodePlace): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: '0.0.0.0',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pkiFile(places, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: pkiFile(places, `${node.name}-serving.crt`),
    tlsPrivateKeyFile: pkiFile(places, `${node.name}-serving.key`),
    containerRuntimeEndpoint: `unix://${RUNTIME_SOCKET}`,
    staticPodPath: STATIC_PODS,
    resolvConf: '/etc/resolv.conf',
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${node.cgroup}`,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    failCgroupV1: false,
    localStorageCapacityIsolation: false,
    serializeImagePulls: false,
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      'memory.available': '0%',
      'nodefs.available': '0%',
      'imagefs.available': '0%',
      'nodefs.inodesFree': '0%',
    },
    oomScoreAdj: 0,
    maxOpenFiles: 20_000,
    shutdownGracePeriod: '0s',
  }
}
