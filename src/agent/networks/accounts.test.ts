/** That no record holds an account of a cloud, and by which account networks are undone and checked. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cniError, EMPTY_RESULT, type JsonObject, networkListOf } from '../../cni/index.ts'
import { NETWORKS } from '../../compat/multus/selection.ts'
import type { Attachments } from '../attach/attachments.ts'
import type { Plugin } from '../plugins/plugin.ts'
import { withAccountsOf, withoutAccounts } from './accounts.ts'
import { LocalPods } from './local-pods.ts'
import { Networks } from './networks.ts'
import { Records } from './records.ts'
import type { ResolveParts } from './resolve.ts'
import { StatusWriter } from './status-writer.ts'
import { addCall, checkCall, delCall, podWith, resolvingBy } from './testing/call.ts'

const NETNS = { fd: -1, path: '/run/netns/p1' }
const step = (password: string, type = 'ipvlan') => ({
  type,
  ipam: { type: 'ipam-neutron', openstackConf: { username: 'u', password } },
})
const netconf = (password: string) => ({ cniVersion: '1.0.0', name: 'n', ...step(password) })
const WISHES = { [NETWORKS]: 'kube-system/mine' }
const resolving = (password?: string): ResolveParts =>
  resolvingBy(
    password === undefined
      ? {}
      : { 'kube-system/mine': { cniVersion: '1.0.0', name: 'mine', plugins: [step(password, 'weft')] } },
  )

let stateDir: string
const running: Networks[] = []
/** Each call of a step, and the password that it came with. */
let heard: (readonly [verb: string, password: unknown])[]
let fails: boolean
let failure: Error
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'weft-accounts-'))
  heard = []
  fails = false
  failure = new Error('refused')
})
afterEach(() => {
  for (const one of running.splice(0)) one[Symbol.dispose]()
  rmSync(stateDir, { recursive: true, force: true })
})

function agent(parts: ResolveParts, wishes: Readonly<Record<string, string>> = {}): Networks {
  const hear = (verb: string, { ipam }: JsonObject): void => {
    heard.push([verb, Object(Object(ipam).openstackConf).password])
  }
  const plugin: Plugin = {
    add: async ({ config }) => {
      hear('add', config)
      return { ...EMPTY_RESULT, interfaces: [{ name: 'eth0', sandbox: NETNS.path }] }
    },
    del: async ({ config, accountsAway }) => {
      hear('del', config)
      if (fails) throw failure
      if (accountsAway !== undefined) throw accountsAway
    },
    check: async ({ config }) => hear('check', config),
  }
  const pods = new LocalPods('node1', { get: async () => undefined })
  pods.put(podWith(wishes))
  const networks = new Networks({
    overlay: {} as unknown as Attachments,
    plugins: { plugin: () => plugin, ipam: () => plugin },
    records: new Records(stateDir),
    pods,
    resolving: parts,
    notices: { warn: () => undefined, tell: () => undefined },
    status: new StatusWriter(undefined, { tell: () => undefined }),
    problems: { failed: () => undefined, solved: () => undefined },
    signal: new AbortController().signal,
  })
  running.push(networks)
  return networks
}

function onDisk(): string {
  const folder = join(stateDir, 'attachments')
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join()
}

test('passwords of a netconf are copied into no record', async () => {
  await agent(resolving()).add(addCall(netconf('s3cret')), 'ipam-neutron', NETNS)
  expect(onDisk()).toContain('ipam-neutron')
  expect(onDisk()).not.toContain('s3cret')
})

test('a rotated account does not make DEL fail for ever: the one that the runtime brings is used', async () => {
  const first = agent(resolving())
  const result = await first.add(addCall(netconf('old')), 'ipam-neutron', NETNS)
  fails = true
  await expect(first.del(delCall(netconf('old')), 'ipam-neutron', undefined)).rejects.toThrow('refused')
  fails = false
  await first.del(delCall(netconf('new')), 'ipam-neutron', undefined)
  expect(heard.splice(0).map(([, password]) => password)).toEqual(['old', 'old', 'new'])
  await first.add(addCall(netconf('old')), 'ipam-neutron', NETNS)
  const next = agent(resolving())
  await next.check({ ...checkCall(result), config: addCall(netconf('new')).config }, 'ipam-neutron', NETNS)
  await next.add(addCall(netconf('new')), 'ipam-neutron', NETNS)
  await next.del(delCall(netconf('newer')), 'ipam-neutron', undefined)
  expect(heard.slice(1)).toEqual([
    ['check', 'new'],
    ['check', 'new'],
    ['del', 'newer'],
  ])
})

test('what an agent that was started anew could not undo while Neutron was away is undone by the account that the DEL brought', async () => {
  await agent(resolving()).add(addCall(netconf('old')), 'ipam-neutron', NETNS)
  const next = agent(resolving())
  fails = true
  failure = cniError('openstack-unavailable', { reason: 'it does not answer', advice: 'wait' })
  await next.del(delCall(netconf('new')), 'ipam-neutron', undefined)
  expect(onDisk()).toContain('isLeaving')
  expect(onDisk()).not.toContain('new')
  fails = false
  heard.length = 0
  await next.releaseLeaving()
  expect(heard).toEqual([['del', 'new']])
  expect(onDisk()).toBe('')
})

test('a network of a definition is undone by the account that the definition has today', async () => {
  await agent(resolving('old'), WISHES).add(addCall(), 'weft', NETNS)
  expect(onDisk()).not.toContain('old')
  heard.length = 0
  await agent(resolving('new')).del(delCall(), 'weft', undefined)
  expect(heard).toEqual([
    ['del', 'new'],
    ['del', undefined],
  ])
})

test('where the definition is gone, an agent that made it knows the account, and another one none', async () => {
  const parts = resolving('old')
  let isGone = false
  const { find } = parts.definitions
  const definitions = {
    ...parts.definitions,
    find: async (...name: Parameters<typeof find>) => (isGone ? undefined : find(...name)),
  }
  for (const undoing of ['itself', 'another']) {
    isGone = false
    const first = agent({ ...parts, definitions }, WISHES)
    await first.add(addCall(), 'weft', NETNS)
    isGone = true
    heard.length = 0
    await (undoing === 'itself' ? first : agent({ ...parts, definitions })).del(delCall(), 'weft', undefined)
    expect(heard.map(([, password]) => password)).toEqual([undoing === 'itself' ? 'old' : undefined, undefined])
  }
})

test.each(['a file', 'the delegates'])(
  'a definition that is gone is not undone by the account that %s has for a network of the same name',
  async (where) => {
    await agent(resolving('theirs'), WISHES).add(addCall(), 'weft', NETNS)
    heard.length = 0
    const administrators = { cniVersion: '1.0.0', name: 'mine', plugins: [step('secret', 'weft')] }
    const configDir = join(stateDir, 'net.d')
    mkdirSync(configDir)
    if (where === 'a file') writeFileSync(join(configDir, 'mine.conflist'), JSON.stringify(administrators))
    const delegates =
      where === 'a file' ? {} : { delegates: [networkListOf(JSON.stringify(administrators), 'mine', 'x')] }
    await agent(resolvingBy({}, { configDir, ...delegates })).del(delCall(), 'weft', undefined)
    expect(heard.map(([, password]) => password)).toEqual([undefined, undefined])
  },
)

test('an agent that was started while the API server is away does not take the definition’s account for gone: it is undone later', async () => {
  const parts = resolving('old')
  let isAway = false
  const { find } = parts.definitions
  const definitions = {
    ...parts.definitions,
    find: async (...name: Parameters<typeof find>) => {
      if (isAway) throw cniError('definition-unreadable', { definition: name.join('/'), reason: 'refused' })
      return find(...name)
    },
  }
  await agent({ ...parts, definitions }, WISHES).add(addCall(), 'weft', NETNS)
  isAway = true
  heard.length = 0
  const next = agent({ ...parts, definitions })
  await next.del(delCall(), 'weft', undefined)
  expect(onDisk()).not.toContain('accountsAway')
  await next.releaseLeaving()
  expect(heard.splice(0).flatMap(([, password]) => password ?? [])).toEqual([])
  isAway = false
  await next.releaseLeaving()
  expect(heard).toContainEqual(['del', 'old'])
  expect(onDisk()).toBe('')
})

test('what a record keeps of an account is the name of a cloud', () => {
  const config: JsonObject = {
    type: 'host-device',
    openstackConf: { cloud: 'c', password: 'p' },
    plugins: [{ ipam: { openstackConf: 'text' } }],
    other: ['x', 1, null],
  }
  expect(withoutAccounts(config)).toEqual({
    type: 'host-device',
    openstackConf: { cloud: 'c' },
    plugins: [{ ipam: { openstackConf: {} } }],
    other: ['x', 1, null],
  })
})

test.each<[string, readonly JsonObject[], JsonObject]>([
  ['the same step', [{ type: 'a', openstackConf: { token: 't' } }], { token: 't' }],
  ['another step', [{ type: 'b', openstackConf: { token: 't' } }], {}],
  ['a step without one', [{ type: 'a' }], {}],
  ['a step that has its place alone', [{ type: 'a', openstackConf: {} }], { cloud: 'known' }],
  ['no step', [], {}],
])('an account of %s', (_, today, expected) => {
  const known = expected['cloud'] === undefined ? {} : expected
  expect(withAccountsOf([{ type: 'a', openstackConf: known }], today)).toEqual([{ type: 'a', openstackConf: expected }])
})
