/** The reference plugins as Debian ships them, in namespaces of this test's own. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CniResult, type CniVersion, type JsonObject, parseArgs } from '../../cni/index.ts'
import { addrList, linkFind, linkGet, linkList, sysctlGet } from '../../linux/index.ts'
import { indexOf, type Scratch, scratch, veth } from '../../linux/testing/scratch.ts'
import type { PodNetns } from '../attach/endpoint-links.ts'
import { type LinkParts, linkPlugins } from './links/index.ts'
import { addList, checkList, delList, type ListCall, statusList } from './list.ts'
import type { Plugin, Plugins } from './plugin.ts'
import { pluginsFrom } from './plugins.ts'
import { programIpam, programPlugin } from './program.ts'

const REFERENCE = '/usr/lib/cni'
const hasReference = ['bridge', 'host-local', 'tuning', 'static'].every((type) => existsSync(join(REFERENCE, type)))
const never = new AbortController().signal

let folder: string
let node: Scratch
let pod: Scratch
let netns: PodNetns

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wefttest-program-'))
  node = scratch()
  pod = scratch()
  netns = { fd: pod.nsFd, path: `/proc/${process.pid}/fd/${pod.nsFd}` }
})

afterEach(() => {
  for (const place of [node, pod]) place[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** Plugins are run in the node's namespace, which is a namespace of the test's here. */
function onNode(...types: readonly string[]): readonly string[] {
  const into = join(folder, 'bin')
  mkdirSync(into, { recursive: true })
  for (const type of types) {
    const enter = `exec nsenter --net=/proc/${process.pid}/fd/${node.nsFd} ${REFERENCE}/${type}`
    writeFileSync(join(into, type), `#!/bin/sh\n${enter}\n`)
    chmodSync(join(into, type), 0o755)
  }
  return [into, REFERENCE]
}

const plugins: Plugins = pluginsFrom({ plugins: new Map(), ipam: new Map(), program: programPlugin, programIpam })

function bridged(version: CniVersion = '1.0.0'): ListCall & { readonly netns: PodNetns } {
  const ipam = {
    type: 'host-local',
    dataDir: join(folder, 'data'),
    ranges: [[{ subnet: '10.77.0.0/24' }], [{ subnet: 'fd00:77::/64' }]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  return {
    containerId: 'wefttest-c1',
    ifname: 'net1',
    network: 'wefttest',
    version,
    origin: { kind: 'node' },
    args: parseArgs('IgnoreUnknown=1;K8S_POD_NAMESPACE=pods;K8S_POD_NAME=p'),
    ordinal: 1,
    plan: 'of a test',
    path: onNode('bridge'),
    netns,
    plugins: [
      { type: 'bridge', name: 'wefttest', cniVersion: version, bridge: 'wtbr0', isGateway: true, ipam },
      { type: 'tuning', name: 'wefttest', cniVersion: version, sysctl: { 'net.ipv4.conf.net1.arp_filter': '1' } },
    ],
  }
}

const leases = (): readonly string[] => {
  const data = join(folder, 'data', 'wefttest')
  return existsSync(data) ? readdirSync(data).filter((name) => /^[\da-f]/.test(name)) : []
}

describe.skipIf(!hasReference)('a list of reference plugins', () => {
  test.each<CniVersion>(['0.3.1', '0.4.0', '1.0.0'])('is added, checked and removed in version %s', async (version) => {
    const call = bridged(version)
    const result = await addList(plugins, call, undefined, never)
    expect(result.ips.map(({ address, gateway, interface: at }) => [address, gateway, at])).toEqual([
      ['10.77.0.2/24', '10.77.0.1', 2],
      ['fd00:77::2/64', 'fd00:77::1', 2],
    ])
    expect(result.interfaces[2]).toMatchObject({ name: 'net1', sandbox: netns.path })
    expect(addrList(pod.rtnl, { link: indexOf(pod, 'net1'), family: 4 }).map(({ address }) => address)).toEqual([
      '10.77.0.2/24',
    ])
    expect(sysctlGet(['net', 'ipv4', 'conf', 'net1', 'arp_filter'], pod.nsFd)).toBe('1')
    expect(leases()).toHaveLength(2)
    await checkList(plugins, call, result)
    expect(await delList(plugins, call, result)).toEqual([])
    expect(linkFind(pod.rtnl, 'net1')).toBeUndefined()
    expect(leases()).toEqual([])
    expect(await delList(plugins, call, result)).toEqual([])
  })

  test('CHECK finds what is gone', async () => {
    const call = bridged()
    const result = await addList(plugins, call, undefined, never)
    await delList(plugins, { ...call, plugins: call.plugins.slice(0, 1) }, result)
    await expect(checkList(plugins, call, result)).rejects.toMatchObject({ id: 'plugin-error' })
  })

  test.each<[string, number, boolean]>([
    ['nothing', 0, true],
    ['the first step', 1, true],
    ['both steps', 2, true],
    ['both steps, and the pod is gone', 2, false],
  ])('after %s all is removed, without a result', async (_, steps, isThere) => {
    const { netns: inside, ...call } = bridged()
    await addList(plugins, { ...call, netns: inside, plugins: call.plugins.slice(0, steps) }, undefined, never)
    expect(await delList(plugins, isThere ? { ...call, netns: inside } : call, undefined)).toEqual([])
    expect(leases()).toEqual([])
    if (isThere) expect(linkList(pod.rtnl).map(({ name }) => name)).not.toContain('net1')
  })

  test('a step that fails keeps its code, and those before it are undone by DEL', async () => {
    const call = bridged()
    const broken = { type: 'tuning', name: 'wefttest', cniVersion: '1.0.0', sysctl: { 'net.nonexistent': '1' } }
    const list = { ...call, plugins: [...call.plugins, broken] }
    await expect(addList(plugins, list, undefined, never)).rejects.toMatchObject({ id: 'plugin-error', code: 999 })
    expect(leases()).toHaveLength(2)
    // The step that failed has nothing to undo, and says so; the others go on.
    await delList(plugins, list, undefined)
    expect(leases()).toEqual([])
    expect(linkFind(pod.rtnl, 'net1')).toBeUndefined()
  })

  test.each([
    ['is nowhere', '/run/netns/wefttest-of-another-mount-namespace'],
    ['is another one’s', '/proc/self/ns/net'],
  ])('a namespace whose path %s here is given by its descriptor', async (_, path) => {
    const call = { ...bridged(), netns: { fd: pod.nsFd, path } }
    await addList(plugins, call, undefined, never)
    expect(linkFind(pod.rtnl, 'net1')).toBeDefined()
  })

  test('programs and steps of ours in one list', async () => {
    const { plugins: _, ...shared } = bridged()
    const parts: LinkParts = {
      rtnl: node.rtnl,
      bridgeOf: async () => undefined,
      plugins: { ipam: (type) => plugins.ipam(type) },
      grants: () => ({ trustedNamespaces: new Set(), types: new Set(), bridges: [] }),
      announce: () => undefined,
    }
    const both = pluginsFrom({ plugins: linkPlugins(parts), ipam: new Map(), program: programPlugin, programIpam })
    veth(node, node, 'up0', 'up1')
    const named = { name: 'wefttest', cniVersion: '1.0.0' }
    const ipam = { type: 'host-local', dataDir: join(folder, 'data'), subnet: '10.77.0.0/24' }
    const steps = [
      { ...named, type: 'macvlan', master: 'up0', ipam },
      { ...named, type: 'tuning', mac: '02:00:00:00:07:07', sysctl: { 'net.ipv4.conf.net1.arp_filter': '1' } },
    ]
    const call: ListCall & { readonly netns: PodNetns } = { ...shared, plugins: steps }
    const result = await addList(both, call, undefined, never)
    expect(result.interfaces).toMatchObject([{ name: 'net1', mac: '02:00:00:00:07:07', sandbox: netns.path }])
    expect(result.ips).toMatchObject([{ address: '10.77.0.2/24', interface: 0 }])
    expect(linkGet(pod.rtnl, 'net1')).toMatchObject({ kind: 'macvlan', mac: '02:00:00:00:07:07' })
    await checkList(both, call, result)
    expect(await delList(both, call, result)).toEqual([])
    expect(leases()).toEqual([])
    expect(linkFind(pod.rtnl, 'net1')).toBeUndefined()
  })

  test('STATUS: whether it is there and speaks the version', async () => {
    const of = (type: string, version: CniVersion) =>
      statusList(plugins, { plugins: [{ type, name: 'n', cniVersion: version }], version, path: [REFERENCE] })
    await of('bridge', '1.0.0')
    await expect(of('absent', '1.0.0')).rejects.toMatchObject({ id: 'plugin-missing' })
    await expect(of('bridge', '1.1.0')).rejects.toMatchObject({ id: 'incompatible-version' })
  })
})

test.skipIf(!hasReference)('addresses of an IPAM program are of no interface yet, and are given back', async () => {
  const ipam = programIpam('host-local')
  const { plugins: _, ...call } = bridged()
  const subnet = { type: 'host-local', dataDir: join(folder, 'data'), subnet: '10.78.0.0/24' }
  const config: JsonObject = { type: 'macvlan', name: 'wefttest', cniVersion: '1.0.0', ipam: subnet }
  const prevResult: CniResult = {
    interfaces: [{ name: 'x' }],
    ips: [],
    routes: [],
    dns: { nameservers: [], search: [], options: [] },
  }
  const result = await ipam.add({ ...call, config, prevResult }, never)
  expect(result).toMatchObject({ interfaces: [], ips: [{ address: '10.78.0.2/24', gateway: '10.78.0.1' }] })
  expect(result.ips[0]).not.toHaveProperty('interface')
  await ipam.check({ ...call, config })
  await ipam.del({ ...call, config })
  await expect(ipam.check({ ...call, config })).rejects.toMatchObject({ id: 'plugin-error' })
})

test.each<[CniVersion, readonly string[]]>([
  ['0.2.0', ['ADD', 'DEL']],
  ['0.3.1', ['ADD+', 'DEL']],
  ['0.4.0', ['ADD+', 'CHECK+', 'DEL+']],
  ['1.1.0', ['ADD+', 'CHECK+', 'DEL+']],
])('version %s: which verbs there are, and which get the result so far', async (version, expected) => {
  const path = [folder]
  const log = join(folder, 'calls')
  const script = `input=$(cat); case $input in *prevResult*) plus=+;; esac; echo "$CNI_COMMAND$plus" >> ${log}; echo '{}'`
  writeFileSync(join(folder, 'recorder'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, 'recorder'), 0o755)
  const recorder: Plugin = programPlugin('recorder')
  const { plugins: _, ...shared } = bridged(version)
  const prevResult: CniResult = {
    interfaces: [],
    ips: [{ address: '10.0.0.5/24' }],
    routes: [],
    dns: { nameservers: [], search: [], options: [] },
  }
  const call = { ...shared, path, config: { type: 'recorder' }, prevResult }
  await recorder.add(call, never)
  await recorder.check(call)
  await recorder.del(call)
  expect(await Bun.file(log).text()).toBe(`${expected.join('\n')}\n`)
})

test('a program is not called to undo by an account that nobody can read now: it would take it for gone', async () => {
  const heard = join(folder, 'heard')
  mkdirSync(join(folder, 'stub'))
  writeFileSync(join(folder, 'stub', 'bridge'), `#!/bin/sh\ncat >> ${heard}\necho '{"cniVersion":"1.0.0"}'\n`, {
    mode: 0o755,
  })
  const away = new Error('the API server does not answer')
  const call = { ...bridged(), path: [join(folder, 'stub')], accountsAway: away }
  const step = (openstackConf: JsonObject): JsonObject => ({
    type: 'bridge',
    ipam: { type: 'ipam-neutron', openstackConf },
  })
  expect(await delList(plugins, { ...call, plugins: [step({})] }, undefined)).toEqual([away])
  expect(existsSync(heard)).toBe(false)
  expect(await delList(plugins, { ...call, plugins: [step({ cloud: 'mine' })] }, undefined)).toEqual([])
  expect(existsSync(heard)).toBe(true)
})
