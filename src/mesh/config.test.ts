import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { decodeMeshConfig } from './config.ts'
import { MeshError } from './errors.ts'

const HOSTS = `hosts:
  - {name: node1, address: 192.168.248.139, subnet: 172.17.42.0/24}
  - {name: node2, address: 192.168.248.140, subnet: 172.17.43.0/24}
`

test('the smallest list is the mesh of the founding document', () => {
  expect(decodeMeshConfig(HOSTS, 'mesh.yaml')).toEqual({
    ways: { direct: false, tunnel: { type: 'gre' } },
    bridge: 'br0',
    attach: 'docker0',
    networks: [],
    guard: true,
    hosts: [
      { name: 'node1', address: '192.168.248.139', subnets: ['172.17.42.0/24'] },
      { name: 'node2', address: '192.168.248.140', subnets: ['172.17.43.0/24'] },
    ],
  } as never)
})

test('the list in docs/mesh.md is one', () => {
  const page = readFileSync(join(import.meta.dir, '../../docs/mesh.md'), 'utf8')
  const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(page) ?? []
  expect(decodeMeshConfig(yaml, 'docs/mesh.md').hosts).toHaveLength(3)
})

test('everything that can be said', () => {
  const text = `way: direct\notherwise: vxlan\nkey: 7\nport: 4790\nbridge: mesh0\nattach: podman0\nguard: false\nnetwork: [172.17.0.0/16, "fd00::/48"]
hosts:
  - {name: a, address: "2001:db8::1", subnet: [172.17.1.0/24, "fd00:0:0:1::/64"]}
  - {name: b, address: "2001:db8::2", subnet: 172.17.2.0/24}\n`
  expect(decodeMeshConfig(text, 'x')).toMatchObject({
    ways: { direct: true, tunnel: { type: 'vxlan', key: 7, port: 4790 } },
    bridge: 'mesh0',
    attach: 'podman0',
    networks: ['172.17.0.0/16', 'fd00::/48'],
    guard: false,
  } as never)
})

const host = (name: string, address: string, subnet: string): string =>
  `  - {name: ${name}, address: ${address}, subnet: ${subnet}}\n`

test.each([
  ['nothing', '', 'is not an object'],
  ['no machine', 'hosts: []', 'has no machine in it'],
  ['no list', 'way: gre', 'hosts: is missing'],
  ['not YAML', 'hosts: [', 'not YAML'],
  ['a key that is none', `mtuu: 5\n${HOSTS}`, 'unknown field "mtuu"'],
  ['a guard that is neither', `guard: no thanks\n${HOSTS}`, 'is neither true nor false'],
  ['a key twice', `way: gre\nway: gre\n${HOSTS}`, '"way" is there twice'],
  [
    'a key of a machine twice',
    'hosts:\n  - {name: a, name: b, address: 192.0.2.1, subnet: 10.0.0.0/24}',
    '"name" is there twice',
  ],
  ['a way that is none', `way: stt\n${HOSTS}`, 'way: "stt" is not known'],
  ['otherwise without direct', `otherwise: gre\n${HOSTS}`, 'says nothing with way gre'],
  ['a key without a tunnel', `way: direct\nkey: 1\n${HOSTS}`, 'key: says nothing without a tunnel'],
  ['a VNI of 25 bits', `way: vxlan\nkey: 16777216\n${HOSTS}`, 'more than 24 bits'],
  ['a port of GRE', `port: 1\n${HOSTS}`, 'port: is for vxlan and geneve only'],
  ['a bridge on itself', `bridge: docker0\n${HOSTS}`, 'is the bridge of the containers'],
  ['a bridge with a path', `bridge: ../etc\n${HOSTS}`, 'bridge: is no name of a link'],
  ['a machine twice', `${HOSTS}${host('node1', '192.168.248.141', '172.17.44.0/24')}`, 'node1 is listed twice'],
  ['an address twice', `${HOSTS}${host('c', '192.168.248.140', '172.17.44.0/24')}`, 'is the address of node2 as well'],
  [
    'a subnet twice',
    `${HOSTS}${host('c', '192.168.248.141', '172.17.42.0/24')}`,
    '172.17.42.0/24 of node1 and 172.17.42.0/24 of c overlap',
  ],
  ['a subnet in another', `${HOSTS}${host('c', '192.168.248.141', '172.17.42.128/25')}`, 'overlap'],
  ['a subnet with an address', host('a', '192.0.2.1', '172.17.42.1/24').replace(/^/, 'hosts:\n'), 'is not a network'],
  ['a subnet elsewhere', `network: 10.0.0.0/8\n${HOSTS}`, '172.17.42.0/24 is not within network'],
  [
    'a machine among containers',
    `network: 172.17.0.0/16\n${HOSTS}${host('c', '172.17.0.5', '172.17.44.0/24')}`,
    '172.17.0.5 is in 172.17.0.0/16',
  ],
  ['addresses of two families', `${HOSTS}${host('c', '"2001:db8::1"', '172.17.44.0/24')}`, 'is not of the family of'],
  ['two networks of a family', `network: [10.0.0.0/8, 11.0.0.0/8]\n${HOSTS}`, 'two networks of one family'],
])('%s is refused', (_, text, cause) => {
  const attempt = (): unknown => decodeMeshConfig(text, 'mesh.yaml')
  expect(attempt).toThrow(MeshError)
  expect(attempt).toThrow(cause)
  expect(attempt).toThrow(/^mesh\.yaml: /)
})

test('whatever is in a file, it is a mesh or MESH_CONFIG', () => {
  const scalar = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.ipV4(),
    fc.constant('172.17.0.0/16'),
  )
  const value = fc.oneof(scalar, fc.array(fc.dictionary(fc.constantFrom('name', 'address', 'subnet', 'x'), scalar)))
  const keys = fc.constantFrom('way', 'otherwise', 'key', 'port', 'bridge', 'attach', 'network', 'hosts', '__proto__')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.dictionary(keys, value).map((all) => JSON.stringify(all)),
      ),
      (text) => {
        try {
          return decodeMeshConfig(text, 'x').hosts.length > 0
        } catch (error) {
          return error instanceof MeshError && error.code === 'MESH_CONFIG' && error.remedy !== ''
        }
      },
    ),
  )
})
