import { expect, test } from 'bun:test'
import { Command } from 'commander'
import { type EtcdOptions, etcdPlaceNamed, withEtcdOptions } from './etcd-options.ts'

function named(...argv: readonly string[]) {
  const command = withEtcdOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  return etcdPlaceNamed(command.parse(argv, { from: 'user' }).opts<EtcdOptions>())
}

const AT = ['--etcd-endpoints', 'http://192.0.2.1:2379']

test('an etcd is k8s-ovs’s unless it is said to be Calico’s', () => {
  expect(named()).toBeUndefined()
  expect(named(...AT)).toMatchObject({ api: 'auto', prefix: '/k8s.ovs.com/ovs/network', network: '' })
  expect(named(...AT, '--etcd-layout', 'k8s-ovs', '--etcd-api', 'v2')).toMatchObject({ api: 'v2' })
  expect(named(...AT, '--etcd-layout', 'calico')).toMatchObject({ layout: 'calico', prefix: '/calico' })
  expect(named(...AT, '--etcd-layout', 'calico', '--etcd-prefix', '/other', '--etcd-api', 'v3')).toMatchObject({
    prefix: '/other',
  })
})

test.each([
  [['--etcd-layout', 'calico'], '--etcd-layout says nothing without --etcd-endpoints'],
  [[...AT, '--etcd-layout', 'calico', '--network', 'blue'], '--network says nothing of what Calico keeps in etcd'],
  [[...AT, '--etcd-layout', 'calico', '--etcd-api', 'v2'], 'Calico keeps nothing in etcd’s v2'],
  [[...AT, '--etcd-layout', 'flannel'], "argument 'flannel' is invalid"],
])('%j is refused', (argv, message) => {
  expect(() => named(...argv)).toThrow(message)
})
