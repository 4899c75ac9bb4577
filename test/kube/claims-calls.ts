/**
 * What makes a controller look after claims in every way that it ever does.
 * @module
 */
import { addressClaimBinding } from '../../src/compat/weft/address-claim.ts'
import { ip } from '../../src/network/model/address.ts'
import type { AddressClaim } from '../../src/network/model/pool.ts'
import { eventually } from './process.ts'

/** A server, and what a controller did to it. */
export interface Watched {
  kubectl(args: readonly string[], input?: object): Promise<string>
  /** Resolves when it was done. */
  hasDone(verb: string, resource: string): () => Promise<void>
}

/** A claim whose pod nobody knows is left alone for half a minute. */
const PATIENCE = 60_000

/** Gives pods addresses, as agents do, and takes the pods away. */
export async function exerciseClaims({ kubectl, hasDone }: Watched): Promise<void> {
  const create = (object: object): Promise<string> => kubectl(['create', '-f', '-'], object)
  const spec = { subnet: '172.18.0.0/16', ips: ['172.18.30.131-172.18.30.140'] }
  await create({ apiVersion: 'spiderpool.spidernet.io/v2beta1', kind: 'SpiderIPPool', metadata: { name: 'p' }, spec })
  await create(claimOf(131, { pod: 'nobody' }))
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'gone' }
  await create(claimOf(132, { pod: 'gone-0', owner, isSticky: true }))
  for (const [last, name, apiVersion, kind] of MANAGED) {
    const ownerReferences = [{ apiVersion, kind, name: 'some', uid: `uid-of-${kind}`, controller: true }]
    const containers = [{ name: 'main', image: 'none' }]
    await create({ apiVersion: 'v1', kind: 'Pod', metadata: { name, ownerReferences }, spec: { containers } })
    const podUid = await kubectl(['get', 'pod', name, '-o', 'jsonpath={.metadata.uid}'])
    await create(claimOf(last, { pod: name, podUid }))
    await eventually(async () => kubectl(['get', 'spiderendpoint', name]), PATIENCE)
    await create(claimOf(last + 1, { pod: name, podUid, ifname: 'net1' }))
  }
  await exerciseAdoption({ kubectl, hasDone })
  for (const what of ['spiderippools', 'spiderendpoints']) await eventually(hasDone('patch', what), PATIENCE)
  for (const [, name] of [...MANAGED, [0, 'adopted'] as const])
    await kubectl(['delete', 'pod', name, '--force', '--grace-period=0'])
  await eventually(hasDone('delete', 'addressclaims'), PATIENCE)
  await eventually(hasDone('delete', 'spiderendpoints'), PATIENCE)
  await eventually(async () => {
    const left = await kubectl(['get', 'addressclaims', '-o', 'name'])
    if (left !== '') throw new Error(`there are still ${left}`)
  }, PATIENCE)
}

/** A pod runs already that Spiderpool gave an address. */
async function exerciseAdoption({ kubectl, hasDone }: Watched): Promise<void> {
  const containers = [{ name: 'main', image: 'none' }]
  const spec = { nodeName: 'node1', containers }
  await kubectl(['create', '-f', '-'], { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'adopted' }, spec })
  const podUid = await kubectl(['get', 'pod', 'adopted', '-o', 'jsonpath={.metadata.uid}'])
  const allocatedIPs = JSON.stringify({ '172.18.30.139': { interface: 'eth0', pod: 'default/adopted', podUid } })
  const patch = JSON.stringify({ status: { allocatedIPs } })
  await kubectl(['patch', 'spiderippool', 'p', '--subresource=status', '--type=merge', '-p', patch])
  await eventually(hasDone('create', 'addressclaims'), PATIENCE)
}

/** Asks for a pool of a subnet, for more of it, and for none any more. */
export async function exerciseSubnets({ kubectl, hasDone }: Watched): Promise<void> {
  const spec = { subnet: '172.19.0.0/16', ips: ['172.19.40.1-172.19.40.10'] }
  const subnet = { apiVersion: 'spiderpool.spidernet.io/v2beta1', kind: 'SpiderSubnet', metadata: { name: 's' }, spec }
  await kubectl(['create', '-f', '-'], subnet)
  const labels = { app: 'demo' }
  const annotations = { 'ipam.spidernet.io/subnet': '{"ipv4":["s"]}' }
  const template = { metadata: { labels, annotations }, spec: { containers: [{ name: 'main', image: 'none' }] } }
  const app = { replicas: 1, selector: { matchLabels: labels }, template }
  await kubectl(['create', '-f', '-'], {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'demo' },
    spec: app,
  })
  await eventually(hasDone('create', 'spiderippools'), PATIENCE)
  await eventually(hasDone('patch', 'spidersubnets'), PATIENCE)
  const jobTemplate = { spec: { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } } }
  const job = { schedule: '0 0 1 1 *', jobTemplate }
  await kubectl(['create', '-f', '-'], {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'yearly' },
    spec: job,
  })
  const poolsOf = (kind: string): Promise<string> =>
    kubectl(['get', 'sp', '-l', `ipam.spidernet.io/owner-application-kind=${kind}`, '-o', 'name'])
  // Before a pool goes, its application is looked for once more.
  for (const [kind, name] of [
    ['Deployment', 'demo'],
    ['CronJob', 'yearly'],
  ] as const) {
    await eventually(async () => {
      if ((await poolsOf(kind)) === '') throw new Error(`there is no pool of the ${kind}`)
    }, PATIENCE)
    await kubectl(['delete', kind, name])
    await eventually(async () => {
      if ((await poolsOf(kind)) !== '') throw new Error(`there is still a pool of the ${kind}`)
    }, PATIENCE)
  }
}

const MANAGED = [
  [133, 'replica', 'apps/v1', 'ReplicaSet'],
  [135, 'job', 'batch/v1', 'Job'],
] as const

function claimOf(last: number, more: Partial<AddressClaim>): object {
  return addressClaimBinding.encode({
    address: ip(`172.18.30.${last}`),
    prefix: 16,
    pool: 'p',
    namespace: 'default',
    pod: 'x',
    podUid: 'u',
    ifname: 'eth0',
    containerId: 'c',
    node: 'node1',
    isSticky: false,
    routes: [],
    hasCleanGateway: false,
    ...more,
  })
}
