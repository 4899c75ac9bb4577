/**
 * A node's kube-proxy, which most clusters have and Weft does not need.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { run } from '../lab/command.ts'
import { hostPath, inNode } from './node-host.ts'
import { type NodePlace, type Places, pkiFile } from './places.ts'
import { startUp } from './programs.ts'

const CONFIG = '/etc/kubernetes/kube-proxy.json'

/** Starts it and waits until it is healthy. */
export async function startKubeProxy(places: Places, node: NodePlace): Promise<number> {
  const file = hostPath(node, CONFIG)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(configuration(places, node), null, 2))
  const way = inNode(places, node)
  const healthz = ['curl', '-sf', '--noproxy', '*', '--max-time', '2', 'http://127.0.0.1:10256/livez']
  const isUp = async (): Promise<boolean> => (await run([...way, ...healthz])).code === 0
  const argv = [`${places.assets}/kube-proxy`, `--config=${CONFIG}`]
  return startUp(places.layout, { role: kubeProxyRole(node), way, argv }, isUp, 60_000)
}

/** What its process is known by. */
export function kubeProxyRole({ name }: NodePlace): string {
  return `${name}-kube-proxy`
}

/** The limits of connection tracking are the machine's: they are left alone. */
function configuration(places: Places, { name }: NodePlace): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    hostnameOverride: name,
    healthzBindAddress: '127.0.0.1:10256',
    clientConnection: { kubeconfig: pkiFile(places, 'kube-proxy.kubeconfig') },
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  }
}
