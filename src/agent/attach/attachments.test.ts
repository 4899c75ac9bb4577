/** A real Open vSwitch without devices, a real kernel's links in namespaces of their own. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { samplePlanner } from '../../../test/tables/sample-node.ts'
import { type AddRequest, type DelRequest, parseRequest } from '../../cni/index.ts'
import { linkFind } from '../../linux/index.ts'
import { type Scratch, scratch } from '../../linux/testing/scratch.ts'
import { endpointId } from '../../network/model/endpoint.ts'
import { connectOvsdb, type OvsdbClient } from '../../ovs/ovsdb/index.ts'
import { type OvsSandbox, startOvsSandbox } from '../../ovs/testing/ovs-sandbox.ts'
import { Attachments } from './attachments.ts'
import { EndpointLinks } from './endpoint-links.ts'
import { linkName } from './lease.ts'
import { AddressPools } from './pools.ts'
import { Ports } from './ports.ts'
import { restorePorts } from './restore-ports.ts'

const ID = endpointId('c1', 'eth0')
const LINK = linkName(ID)
const never = new AbortController().signal

let ovs: OvsSandbox
let client: OvsdbClient
let host: Scratch
let pod: Scratch
let ports: Ports
let links: EndpointLinks
let pools: AddressPools
let attachments: Attachments
let flush: () => Promise<void>

beforeEach(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  await ovs.vsctl('add-br', 'br-weft')
  client = await connectOvsdb({ path: ovs.dbSocket })
  ports = await Ports.open(client, 'system', never)
  host = scratch()
  pod = scratch()
  links = new EndpointLinks(host.rtnl, 'system')
  const planner = samplePlanner()
  flush = async () => undefined
  pools = new AddressPools(60, Date.now, () => 0)
  pools.setRanges(planner.context, [])
  attachments = new Attachments({
    ports,
    links,
    pools,
    limiter: { limitsFor: () => ({ limits: {}, problems: [] }), attached: () => undefined },
    shaper: { apply: () => 'settled' },
    forwarding: { flush: () => flush() },
    planner: () => planner,
    waitingFor: () => [],
    tenantOf: async () => 42,
    whyNoTenant: async () => ({ reason: 'unknown' }),
    signal: never,
  })
})

afterEach(async () => {
  links[Symbol.dispose]()
  client.close()
  for (const place of [host, pod]) place[Symbol.dispose]()
  await ovs.stop()
})

function request(CNI_COMMAND: 'ADD' | 'DEL', more = '', CNI_IFNAME = 'eth0'): AddRequest | DelRequest {
  const CNI_ARGS = `K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart;K8S_POD_INFRA_CONTAINER_ID=c1${more}`
  const call = { CNI_COMMAND, CNI_CONTAINERID: 'c1', CNI_NETNS: '/run/netns/c1', CNI_IFNAME, CNI_PATH: '/x' }
  const config = JSON.stringify({ cniVersion: '1.0.0', name: 'weft', type: 'weft' })
  return parseRequest({ ...call, CNI_ARGS }, config) as AddRequest | DelRequest
}

const add = () => attachments.add(request('ADD') as AddRequest, { fd: pod.nsFd, path: '/run/netns/c1' })
const del = () => attachments.del(request('DEL') as DelRequest)
const used = () => pools.facts().map((range) => range.used)

/** Somebody removes the port by hand; done when we have seen it. */
async function removePort(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const undo = ports.onChange(() => void (ports.lost().length > 0 && resolve()))
  await ovs.vsctl('del-port', 'br-weft', LINK)
  await promise
  undo()
}

test('DEL of a pod whose port somebody removed gives its addresses back', async () => {
  await add()
  expect(used()).toEqual(['1', '1'])
  await removePort()
  await del()
  await Promise.resolve()
  expect(used()).toEqual(['0', '0'])
  expect(ports.lost()).toEqual([])
  await links.sweep()
  expect(linkFind(host.rtnl, LINK)).toBeUndefined()
})

test('a call’s ports know it, over restarts: they go together, and those of other calls for the pod stay', async () => {
  for (const [ifname, plan] of [
    ['eth0', 'c1/eth0/weft'],
    ['net1', 'c1/eth0/weft'],
    ['net2', 'c1/net2/weft'],
    ['net3', undefined],
  ] as const)
    await attachments.add(request('ADD', '', ifname) as AddRequest, { fd: pod.nsFd, path: '/run/netns/c1' }, plan)
  const again = await connectOvsdb({ path: ovs.dbSocket })
  const read = (await Ports.open(again, 'system', never)).leases().map(({ plan }) => plan)
  again.close()
  expect(read.toSorted()).toEqual(['c1/eth0/weft', 'c1/eth0/weft', 'c1/net2/weft', undefined])
  await attachments.releasePlan('c1/eth0/weft')
  await Promise.resolve()
  expect(ports.leases().map(({ endpoint }) => endpoint.ifname)).toEqual(['net2', 'net3'])
  expect(used()).toEqual(['2', '2'])
})

test('ADD of a pod whose port somebody removed does not keep two sets of addresses', async () => {
  await add()
  await removePort()
  await add()
  expect(used()).toEqual(['1', '1'])
})

test('a DEL while the port is put back has to wait: the port of a dead pod does not come back', async () => {
  await add()
  await removePort()
  const restored = restorePorts({ ports, links, attachments, log: { warn: () => undefined }, signal: never })
  await expect(del()).rejects.toMatchObject({ id: 'attachment-in-progress' })
  await restored
  expect(ports.leases().map(({ link }) => link)).toEqual([LINK])
  await del()
  await restorePorts({ ports, links, attachments, log: { warn: () => undefined }, signal: never })
  expect(await ovs.vsctl('list-ports', 'br-weft')).toBe('')
  expect(used()).toEqual(['0', '0'])
})

test('addresses are held from before their record until the switch has let them go', async () => {
  const attaching = add()
  // As of now: looking again must not take them away from the ADD.
  await Promise.resolve()
  expect(attachments.heldAddresses().length).toBe(2)
  await attaching
  expect(attachments.heldAddresses()).toEqual([])
  let letGo: () => void = () => undefined
  flush = () =>
    new Promise((resolve) => {
      letGo = resolve
    })
  await del()
  expect(ports.recordedAddresses()).toEqual([])
  expect(attachments.heldAddresses().length).toBe(2)
  letGo()
  await Promise.resolve()
  await Promise.resolve()
  expect([attachments.heldAddresses(), used()]).toEqual([[], ['0', '0']])
})

test('a MAC address in CNI_ARGS is refused unless the plugin may pass over what it does not know', async () => {
  const asked = ';MAC=02:11:22:33:44:55'
  const adding = (more: string) =>
    attachments.add(request('ADD', more) as AddRequest, { fd: pod.nsFd, path: '/run/netns/c1' })
  await expect(adding(asked)).rejects.toEqual(
    expect.objectContaining({
      id: 'unsupported-field',
      message: expect.stringContaining('MAC in CNI_ARGS'),
    }),
  )
  await adding(`${asked};IgnoreUnknown=1`)
})
