/**
 * What pods on the physical network are refused: the pod's event says which object and field is at fault and what would
 * mend it, and nothing is left. On the playground of underlay.ts, with its pool and network.
 * @module
 */
import { equal, ok } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NETWORK_ATTACHMENT_DEFINITIONS } from '../../src/compat/multus/attachment-definition.ts'
import { SPIDER_IP_POOLS, SPIDER_MULTUS_CONFIGS } from '../../src/compat/spiderpool/resources.ts'
import { ADDRESS_CLAIMS } from '../../src/compat/weft/address-claim.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { EVENTS, PODS } from '../../src/kube/resources.ts'
import { SECOND_UPLINK } from '../../src/playground/lab/underlay.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import type { StepContext } from '../lab/scenario.ts'

const NETWORK = 'v1.multus-cni.io/default-network'
const FURTHER = 'k8s.v1.cni.cncf.io/networks'
const POOLS = 'ipam.spidernet.io/ippool'
const DUPLICATE = '172.18.31.2'

/** A pod that is refused. */
interface Refused {
  readonly what: string
  readonly annotations: Readonly<Record<string, string>>
  /** Object and field that are at fault, as the event has them. */
  readonly words: RegExp
  /** What would mend it. */
  readonly remedy: RegExp
  /** Brings about what is at fault. */
  readonly before?: (lab: Lab) => Promise<unknown>
  /** Takes that back. */
  readonly after?: (lab: Lab) => Promise<unknown>
  readonly node?: string
}

const GRANT = /have an administrator grant it/

const REFUSED: readonly Refused[] = [
  {
    what: 'an unknown network',
    annotations: { [NETWORK]: 'kube-system/none' },
    words: /cannot find a network-attachment-definition \(none\) in namespace \(kube-system\)/,
    remedy: /create it, or correct the name/,
  },
  {
    what: 'another tenant’s network',
    annotations: { [FURTHER]: 'shop/net' },
    words: /asks for shop\/net: definitions of namespace shop/,
    remedy: GRANT,
  },
  {
    what: 'a fixed MAC address',
    annotations: { [FURTHER]: '[{"name":"ovs-conf","namespace":"kube-system","mac":"02:00:00:00:00:01"}]' },
    words: /asks for \[0\]\.mac/,
    remedy: GRANT,
  },
  {
    what: 'an annotation of no form',
    annotations: { [FURTHER]: '[{' },
    words: /annotation k8s\.v1\.cni\.cncf\.io\/networks of the pod/,
    remedy: /correct the annotation/,
  },
  {
    what: 'an annotation that wants out of its place',
    annotations: { [FURTHER]: '[{"name":"ovs-conf","namespace":"../../kube-system","interface":"../eth0"}]' },
    words: /annotation k8s\.v1\.cni\.cncf\.io\/networks of the pod: \[0\]\./,
    remedy: /correct the annotation/,
  },
  {
    what: 'an annotation that is longer than anybody reads',
    annotations: { [FURTHER]: Array.from({ length: 9_000 }, (_, i) => `net-${i}`).join(',') },
    words: /annotation k8s\.v1\.cni\.cncf\.io\/networks of the pod: networks: must be shorter: /,
    remedy: /correct the annotation/,
  },
  {
    what: 'a pool that is not there',
    ...onPool('none'),
    words: /none does not exist/,
    remedy: /make one that does not exist/,
  },
  {
    what: 'a pool annotation of no form',
    annotations: { [NETWORK]: 'kube-system/ovs-conf', [POOLS]: '{' },
    words: /ipam\.spidernet\.io\/ippool/,
    remedy: /the form is \{"ipv4"/,
  },
  {
    what: 'a pool that has vanished',
    ...onPool('gone'),
    words: /gone does not exist/,
    remedy: /make one that does not exist/,
    before: async (lab) => {
      await makePool('gone', '172.18.31.9')(lab)
      await removePool('gone')(lab)
    },
  },
  {
    what: 'a pool that overlaps an older one',
    ...onPool('overlap'),
    words:
      /overlap gives nothing out: 172\.18\.0\.0\/17 overlaps 172\.18\.0\.0\/16 of the pool ippool-test, which is older/,
    remedy: /name other pools/,
    before: makePool('overlap', '172.18.32.1-172.18.32.9', '172.18.0.0/17'),
    after: removePool('overlap'),
  },
  {
    what: 'a pool that has nothing left',
    ...onPool('small'),
    words: /all IP addresses used out in the IPv4 IPPools of eth0: small \(1 addresses, 1 in use/,
    remedy: /add addresses \(spec\.ips of small\)/,
    before: async (lab) => {
      await makePool('small', '172.18.31.1')(lab)
      await lab.api().create(PODS, podOf('holder', onPool('small').annotations))
      await eventually('a pod has the only address', async () => (await addressOf(lab, 'holder')) === '172.18.31.1')
    },
    after: async (lab) => {
      await lab.api().delete(PODS, { namespace: 'default', name: 'holder' })
      await eventually('its address is given back', async () => (await claims(lab, '172.18.31.1')) === 0)
      await removePool('small')(lab)
    },
  },
  {
    what: 'a bridge that is not there',
    annotations: { [NETWORK]: 'kube-system/no-bridge' },
    words: /Open vSwitch on this node has no bridge br7/,
    remedy: /weft bridge create br7 --uplink/,
    before: async (lab) => {
      await lab.api().create(SPIDER_MULTUS_CONFIGS, {
        apiVersion: 'spiderpool.spidernet.io/v2beta1',
        kind: 'SpiderMultusConfig',
        metadata: { name: 'no-bridge', namespace: 'kube-system' },
        spec: { cniType: 'ovs', ovs: { bridge: 'br7' } },
      } as KubeObject)
      await eventually('it has a definition', async () => {
        const made = await lab
          .api()
          .get(NETWORK_ATTACHMENT_DEFINITIONS, { namespace: 'kube-system', name: 'no-bridge' })
        return made !== undefined
      })
    },
    after: (lab) => lab.api().delete(SPIDER_MULTUS_CONFIGS, { namespace: 'kube-system', name: 'no-bridge' }),
  },
  {
    what: 'a VLAN out of range',
    annotations: { [NETWORK]: 'kube-system/vlan-4096' },
    words: /vlan: must be a whole number from 0 to 4095/,
    remedy: /correct vlan/,
    before: makeDefinition('kube-system', 'vlan-4096', { bridge: 'br1', vlan: 4096 }),
    after: removeDefinition('kube-system', 'vlan-4096'),
  },
  {
    what: 'a bridge that was not granted',
    annotations: { [NETWORK]: 'default/mine' },
    words:
      /network-attachment-definition default\/mine asks for bridge: bridge br1 is not granted to namespace default/,
    remedy: GRANT,
    before: makeDefinition('default', 'mine', { bridge: 'br1', vlan: 7 }),
    after: removeDefinition('default', 'mine'),
  },
  {
    what: 'our own bridge',
    annotations: { [NETWORK]: 'kube-system/ours' },
    words: /network-attachment-definition kube-system\/ours asks for bridge: bridge br-weft is Weft's own/,
    remedy: /name another bridge/,
    before: makeDefinition('kube-system', 'ours', { bridge: 'br-weft', vlan: 7 }),
    after: removeDefinition('kube-system', 'ours'),
  },
  {
    what: 'an address that somebody on the wire has',
    ...onPool('taken'),
    node: 'node1',
    words: /address 172\.18\.31\.2 is in use on the wire of eth0: ([0-9a-f]{2}:){5}[0-9a-f]{2} has it/,
    remedy: /find the host with this MAC address/,
    before: async (lab) => {
      const file = join(lab.layout.runDir, 'conflicts.yaml')
      writeFileSync(file, 'attachments:\n  findConflicts: true\n')
      const command = lab.commandOf('node1-agent')
      lab.kill('node1-agent')
      lab.start('node1-agent', [...command, '--config', file])
      await wireAddress(lab, 'add')
      await makePool('taken', DUPLICATE)(lab)
      await eventually('the agent answers', async () =>
        lab
          .agent(1)
          .status()
          .then(
            ({ ready }) => ready,
            () => false,
          ),
      )
    },
    after: async (lab) => {
      await wireAddress(lab, 'del')
      await removePool('taken')(lab)
    },
  },
]

/** Each is told on its pod, and none has left an address. */
export async function refusals({ lab, say }: StepContext): Promise<void> {
  for (const [index, { what, annotations, words, remedy, before, after, node }] of REFUSED.entries()) {
    await before?.(lab)
    const held = await claims(lab)
    const name = `refused-${index}`
    const since = performance.now()
    await lab.api().create(PODS, podOf(name, annotations, node))
    let said = ''
    await eventually(`${what} is told`, async () => {
      const { items } = await lab
        .api()
        .list(EVENTS, { namespace: 'default', fieldSelector: `involvedObject.name=${name}` })
      said = items.map((one) => String(one['message'])).find((message) => words.test(message)) ?? ''
      return said !== ''
    })
    say(`${what} (${Math.round(performance.now() - since)} ms): ${said}`)
    ok(remedy.test(said), `${what}: ${said} does not say what would mend it (${remedy})`)
    await lab.api().delete(PODS, { namespace: 'default', name })
    await eventually(`${what} leaves nothing`, async () => (await claims(lab)) === held)
    await after?.(lab)
  }
  equal(await claims(lab, '172.18.31.'), 0)
}

/** On the seed's network, from this pool. */
function onPool(pool: string): Pick<Refused, 'annotations'> {
  return { annotations: { [NETWORK]: 'kube-system/ovs-conf', [POOLS]: JSON.stringify({ ipv4: [pool] }) } }
}

function podOf(name: string, annotations: Refused['annotations'], node?: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', annotations },
    spec: { containers: [{ name: 'c', image: 'none' }], ...(node === undefined ? {} : { nodeName: node }) },
  } as KubeObject
}

function makePool(name: string, ips: string, subnet = '172.18.0.0/16'): (lab: Lab) => Promise<unknown> {
  return (lab) =>
    lab.api().create(SPIDER_IP_POOLS, {
      apiVersion: 'spiderpool.spidernet.io/v2beta1',
      kind: 'SpiderIPPool',
      metadata: { name },
      spec: { subnet, ips: [ips] },
    } as KubeObject)
}

function removePool(name: string): (lab: Lab) => Promise<void> {
  return async (lab) => {
    await lab.api().delete(SPIDER_IP_POOLS, { name })
    await eventually(`pool ${name} is gone`, async () => {
      const { items } = await lab.api().list(SPIDER_IP_POOLS)
      return !items.some((one) => one.metadata.name === name)
    })
  }
}

function makeDefinition(namespace: string, name: string, netconf: object): (lab: Lab) => Promise<unknown> {
  const config = JSON.stringify({ cniVersion: '0.3.1', name, type: 'ovs', ...netconf })
  return (lab) =>
    lab.api().create(NETWORK_ATTACHMENT_DEFINITIONS, {
      apiVersion: 'k8s.cni.cncf.io/v1',
      kind: 'NetworkAttachmentDefinition',
      metadata: { namespace, name },
      spec: { config },
    } as KubeObject)
}

function removeDefinition(namespace: string, name: string): (lab: Lab) => Promise<unknown> {
  return (lab) => lab.api().delete(NETWORK_ATTACHMENT_DEFINITIONS, { namespace, name })
}

/** The host outside has the address, or no longer. */
async function wireAddress(lab: Lab, verb: 'add' | 'del'): Promise<void> {
  const { outsideNetns } = lab.layout
  const { code, stderr } = await lab.inside(
    outsideNetns,
    ...['ip', 'address', verb, `${DUPLICATE}/16`, 'dev', SECOND_UPLINK],
  )
  equal(code, 0, stderr)
}

async function addressOf(lab: Lab, name: string): Promise<string> {
  const pod = await lab.api().get(PODS, { namespace: 'default', name })
  return String(Object(pod?.['status'])['podIP'])
}

/** How many addresses that begin so are claimed. */
async function claims(lab: Lab, prefix = ''): Promise<number> {
  const { items } = await lab.api().list(ADDRESS_CLAIMS)
  return items.filter((one) => String(Object(one['spec'])['address']).startsWith(prefix)).length
}
