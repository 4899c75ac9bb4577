import { afterEach, describe, expect, test } from 'bun:test'
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs'
import { LinuxError } from './errno.ts'
import { linkAdd } from './netlink/link-add.ts'
import { linkFind } from './netlink/link-ops.ts'
import { openRtnl } from './netlink/rtnl-socket.ts'
import {
  isNetns,
  netnsAdd,
  netnsDel,
  netnsId,
  netnsList,
  netnsNew,
  netnsOpen,
  netnsPath,
  netnsSelf,
  sameNetns,
  withNetns,
} from './netns.ts'
import { sysctlGet, sysctlKey, sysctlPath, sysctlSet } from './sysctl.ts'
import { scratch, veth } from './testing/scratch.ts'

const name = `wefttest-linux-${process.pid}`
afterEach(() => {
  netnsDel(name)
})

describe('named namespaces', () => {
  test('are those of ip netns, and outlive their descriptor', () => {
    const made = netnsAdd(name)
    const id = netnsId(made)
    linkAdd(openRtnl({ nsFd: made }), { kind: 'bridge', name: 'inside' })
    closeSync(made)
    expect(netnsList()).toContain(name)
    const shown = Bun.spawnSync(['ip', '-n', name, '-o', 'link', 'show', 'inside'])
    expect(shown.stdout.toString()).toContain('inside')
    const again = netnsOpen(name)
    expect(netnsId(again)).toEqual(id)
    closeSync(again)
    expect(() => netnsAdd(name)).toThrow('file exists')
    expect(netnsDel(name)).toBe(true)
    expect(netnsDel(name)).toBe(false)
    expect(existsSync(netnsPath(name))).toBe(false)
  })

  test('made by ip netns are opened and deleted', () => {
    expect(Bun.spawnSync(['ip', 'netns', 'add', name]).exitCode).toBe(0)
    closeSync(netnsOpen(name))
    expect(netnsDel(name)).toBe(true)
  })

  test('left half made are removed, and are no namespace', () => {
    closeSync(netnsAdd(name))
    netnsDel(name)
    writeFileSync(netnsPath(name), '')
    expect(() => netnsOpen(name)).toThrow('is not a network namespace')
    expect(netnsDel(name)).toBe(true)
  })

  test.each(['', '.', '..', 'a/b', 'a\0', 'x'.repeat(256)])('%p is no name', (bad) => {
    expect(() => netnsAdd(bad)).toThrow(LinuxError)
    expect(() => netnsDel(bad)).toThrow(LinuxError)
  })
})

describe('entering', () => {
  test('is over when the action is, also when it throws', () => {
    const home = netnsSelf()
    const away = netnsNew()
    const inside = withNetns(away, () => {
      const fd = netnsSelf()
      const same = sameNetns(fd, away)
      closeSync(fd)
      return same
    })
    expect(inside).toBe(true)
    expect(() =>
      withNetns(away, () => {
        throw new Error('inside')
      }),
    ).toThrow('inside')
    const after = netnsSelf()
    expect(sameNetns(after, home)).toBe(true)
    for (const fd of [home, away, after]) closeSync(fd)
  })

  test('with an asynchronous action is refused', () => {
    const away = netnsNew()
    const sneaky = (() => Promise.resolve(1)) as unknown as () => number
    expect(() => withNetns(away, sneaky)).toThrow('must not be asynchronous')
    closeSync(away)
  })

  test('a descriptor that is no namespace is refused', () => {
    const other = openSync('/proc/self/ns/uts', 'r')
    expect(isNetns(other)).toBe(false)
    expect(() => withNetns(other, () => 1)).toThrow('setns')
    expect(() => netnsOpen('/dev/null')).toThrow('is not a network namespace')
    expect(() => netnsOpen('/proc/self/ns/uts')).toThrow('is not a network namespace')
    expect(() => netnsOpen('/nowhere/at/all')).toThrow('no such file')
    closeSync(other)
  })
})

test('a namespace without a name ends with its descriptor', async () => {
  using node = scratch()
  const pod = scratch()
  veth(node, pod)
  pod[Symbol.dispose]()
  const deadline = Date.now() + 5000
  while (linkFind(node.rtnl, 'a0') !== undefined && Date.now() < deadline) await Bun.sleep(5)
  expect(linkFind(node.rtnl, 'a0')).toBeUndefined()
})

describe('sysctls', () => {
  test('are those of the namespace, also for a link with a dot in its name', () => {
    using node = scratch()
    veth(node, node, 'eth0.100', 'b')
    const key = ['net', 'ipv4', 'conf', 'eth0.100', 'forwarding']
    const own = sysctlGet(['net', 'ipv4', 'ip_forward'])
    sysctlSet(['net', 'ipv4', 'ip_forward'], 1, node.nsFd)
    expect(sysctlGet(key, node.nsFd)).toBe('1')
    sysctlSet(sysctlKey('net.ipv4.conf.eth0/100.forwarding'), 0, node.nsFd)
    expect(sysctlGet(key, node.nsFd)).toBe('0')
    expect(sysctlGet(['net', 'ipv4', 'ip_forward'])).toBe(own)
    expect(() => sysctlSet(key, 'many', node.nsFd)).toThrow('invalid argument')
    expect(() => sysctlGet(['net', 'ipv4', 'conf', 'gone', 'forwarding'], node.nsFd)).toThrow('no such file')
  })

  test.each([
    [['net']],
    [['kernel', 'hostname']],
    [['net', '..', 'kernel', 'hostname']],
    [['net', 'a/b']],
    [['net', '']],
    [['net', 'a\0b']],
    [[]],
  ])('%p leaves the net folder: refused', (key) => {
    expect(() => sysctlPath(key)).toThrow(LinuxError)
  })
})
