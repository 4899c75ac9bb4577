/**
 * Pods inside the guest, attached as a container runtime does it.
 * @module
 */
import { join } from 'node:path'
import { netnsAdd } from '../../src/linux/index.ts'
import { familyOf, type Ip, ip } from '../../src/network/model/address.ts'
import type { Bandwidth } from '../../src/network/model/bandwidth.ts'
import type { Labels } from '../../src/network/model/policy.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { callPlugin } from '../lab/plugin.ts'

/** A pod of the guest. */
export interface Pod {
  readonly name: string
  /** Where it is. */
  readonly node: string
  readonly fd: number
  readonly address: Ip
  readonly address6: Ip
  readonly netns: string
  del(): Promise<void>
}

/** An error of the specification: runtimes call again. */
const TRY_AGAIN = 11
const ATTEMPTS = 60

/** The node that a pod is to be on. */
export interface PodPlace {
  readonly registry: Registry
  readonly node: string
  /** Its agent's folder. */
  readonly runDir: string
}

/** What a pod is to be. */
export interface PodWish {
  readonly name: string
  readonly namespace: string
  readonly labels?: Labels
  readonly bandwidth?: Bandwidth
}

/** Makes a pod: its object, which has its addresses afterwards as kubelet would say them, its namespace, its link. */
export async function attachPod({ registry, node, runDir }: PodPlace, wish: PodWish): Promise<Pod> {
  const { name, namespace } = wish
  const pod = { ...wish, uid: `u-${name}`, node, addresses: [] }
  const { revision } = await registry.create('Pod', `${namespace}/${name}`, pod)
  const netns = `wefttest-vm-${name}`
  const fd = netnsAdd(netns)
  const call = (verb: string) => callAgent(runDir, { name, namespace, netns }, verb, { name: 'weft', type: 'weft' })
  const { ips } = await call('ADD')
  const addresses = ips.map((one) => ip(one.address.split('/')[0] ?? ''))
  await registry.update('Pod', `${namespace}/${name}`, { ...pod, addresses }, revision)
  const address = addresses.find((one) => familyOf(one) === 4)
  const address6 = addresses.find((one) => familyOf(one) === 6)
  if (address === undefined || address6 === undefined) throw new Error(`${name} lacks an address`)
  console.log(`${namespace}/${name} has ${address} ${address6}`)
  return { name, node, fd, address, address6, netns, del: async () => void (await call('DEL')) }
}

/** Calls a node's agent for the interface `eth0` of a pod, again for as long as it says so. Throws with what it says else. */
export async function callAgent(
  runDir: string,
  { name, namespace, netns }: Pick<Pod, 'name' | 'netns'> & { readonly namespace: string },
  verb: string,
  config: object,
) {
  const environment = {
    CNI_COMMAND: verb,
    CNI_CONTAINERID: name,
    CNI_NETNS: `/run/netns/${netns}`,
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/opt/cni/bin',
    CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name};K8S_POD_UID=u-${name}`,
  }
  const input = JSON.stringify({ cniVersion: '1.0.0', ...config })
  let text = ''
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const answer = await callPlugin(join(runDir, 'cni.sock'), environment, input)
    if (answer.code === 0) return answer.json as { readonly ips: readonly { readonly address: string }[] }
    text = answer.text
    if ((answer.json as { readonly code?: number } | undefined)?.code !== TRY_AGAIN) break
    await Bun.sleep(1_000)
  }
  throw new Error(text)
}
