import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { cidrFamily } from './formats.ts'
import {
  CNI_VERSIONS,
  type CniResult,
  type CniVersion,
  EMPTY_RESULT,
  encodeResult,
  parseResult,
  printResult,
  type ResultIp,
  ShapeError,
} from './index.ts'
import { type Json, sanitize } from './json.ts'

const FULL: CniResult = {
  interfaces: [
    { name: 'weft0', mac: '0a:58:00:00:00:01' },
    { name: 'eth0', mac: '0a:58:0a:01:00:05', mtu: 1450, sandbox: '/run/netns/x', socketPath: '/s', pciId: '0000:01' },
  ],
  ips: [
    { address: '10.1.0.5/16', gateway: '10.1.0.1', interface: 1 },
    { address: 'fd00::5/64', gateway: 'fd00::1', interface: 1 },
    { address: '10.2.0.5/16' },
  ],
  routes: [
    { dst: '0.0.0.0/0', gw: '10.1.0.1', mtu: 1400, advmss: 1360, priority: 100, table: 254, scope: 0 },
    { dst: '::/0', gw: 'fd00::1' },
    { dst: '10.128.0.0/14' },
  ],
  dns: { nameservers: ['10.0.0.10'], domain: 'a.example', search: ['example'], options: ['ndots:5'] },
}
const DNS = FULL.dns

describe('the JSON of each version', () => {
  const old = {
    ip4: {
      ip: '10.1.0.5/16',
      gateway: '10.1.0.1',
      routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }, { dst: '10.128.0.0/14' }],
    },
    ip6: { ip: 'fd00::5/64', gateway: 'fd00::1', routes: [{ dst: '::/0', gw: 'fd00::1' }] },
    dns: DNS,
  }
  const middle = {
    interfaces: [
      { name: 'weft0', mac: '0a:58:00:00:00:01' },
      { name: 'eth0', mac: '0a:58:0a:01:00:05', sandbox: '/run/netns/x' },
    ],
    ips: [
      { version: '4', address: '10.1.0.5/16', gateway: '10.1.0.1', interface: 1 },
      { version: '6', address: 'fd00::5/64', gateway: 'fd00::1', interface: 1 },
      { version: '4', address: '10.2.0.5/16' },
    ],
    routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }, { dst: '::/0', gw: 'fd00::1' }, { dst: '10.128.0.0/14' }],
    dns: DNS,
  }
  const { pciId, ...card } = FULL.interfaces[1] ?? { name: '', pciId: '' }
  const newest = { ...FULL, interfaces: [FULL.interfaces[0], { ...card, pciID: pciId }] }
  const table: Readonly<Record<CniVersion, object>> = {
    '0.1.0': old,
    '0.2.0': old,
    '0.3.0': middle,
    '0.3.1': middle,
    '0.4.0': middle,
    '1.0.0': { ...middle, ips: FULL.ips },
    '1.1.0': newest,
  }

  test.each(CNI_VERSIONS)('%s', (version) => {
    expect(JSON.parse(printResult(FULL, version))).toEqual({ cniVersion: version, ...table[version] })
  })

  test.each(CNI_VERSIONS)('%s without an address', (version) => {
    if (version === '0.1.0' || version === '0.2.0') {
      expect(() => encodeResult(EMPTY_RESULT, version)).toThrow('without an address')
    } else expect(JSON.parse(printResult(EMPTY_RESULT, version))).toEqual({ cniVersion: version, dns: {} })
  })
})

describe('reading', () => {
  test.each([
    ['0.3.0', { ip: [{ address: '10.1.0.5/16' }] }, '10.1.0.5/16'],
    ['0.3.0', { ips: [{ address: '10.1.0.6/16' }], ip: [{ address: '10.1.0.5/16' }] }, '10.1.0.6/16'],
    ['0.3.1', { ip: [{ address: '10.1.0.5/16' }] }, undefined],
  ] as const)('%s %j: %j', (cniVersion, body, address) => {
    expect(parseResult({ cniVersion, ...body }, '1.1.0', 'r').ips[0]?.address).toBe(address)
  })

  test('a result without a version is of the configuration’s', () => {
    const value = { ip4: { ip: '10.1.0.5/16' }, ips: [{ address: '10.1.0.6/16' }] }
    expect(parseResult(value, '0.2.0', 'r').ips).toEqual([{ address: '10.1.0.5/16' }])
    expect(parseResult(value, '0.4.0', 'r').ips).toEqual([{ address: '10.1.0.6/16' }])
  })

  test('zeroes and empty strings of the newest form are unset', () => {
    const value = {
      interfaces: [{ name: 'eth0', mtu: 0, socketPath: '', pciID: '', sandbox: '' }],
      routes: [{ dst: '0.0.0.0/0', gw: '', mtu: 0, advmss: 0, priority: 0, table: 0, scope: 0 }],
      dns: { domain: '', nameservers: null },
    }
    expect(parseResult(value, '1.1.0', 'r')).toEqual({
      ...EMPTY_RESULT,
      interfaces: [{ name: 'eth0' }],
      routes: [{ dst: '0.0.0.0/0', table: 0, scope: 0 }],
    })
  })

  test.each([
    [{ ips: [{ address: '10.1.0.5/16', interface: 0 }] }, 'r.ips[0].interface'],
    [{ ips: [{}] }, 'r.ips[0].address'],
    [{ ips: [{ address: '10.1.0.5' }] }, 'r.ips[0].address'],
    [{ ips: [{ address: 'fe80::1%eth0/64' }] }, 'r.ips[0].address'],
    [{ interfaces: [{ mac: 'x' }] }, 'r.interfaces[0].name'],
    [{ routes: [{ dst: 'default' }] }, 'r.routes[0].dst'],
    [{ routes: [{ dst: '0.0.0.0/0', scope: 256 }] }, 'r.routes[0].scope'],
    [{ dns: [] }, 'r.dns'],
    [{ cniVersion: '7.0.0' }, 'r.cniVersion'],
    [{ cniVersion: '0.2.0', ip4: { ip: 'fd00::1/64' } }, 'r.ip4.ip'],
    [7, 'r'],
  ])('%j is refused at %s', (value, path) => {
    let fault: unknown
    try {
      parseResult(value as Json, '1.1.0', 'r')
    } catch (error) {
      fault = error
    }
    expect(fault).toBeInstanceOf(ShapeError)
    expect(fault).toMatchObject({ path })
  })
})

const address4 = fc.ipV4()
const address6 = fc.ipV6()
const cidr = fc.oneof(
  fc.tuple(address4, fc.integer({ min: 0, max: 32 })).map(([ip, length]) => `${ip}/${length}`),
  fc.tuple(address6, fc.integer({ min: 0, max: 128 })).map(([ip, length]) => `${ip}/${length}`),
)
const word = fc.string({ minLength: 1 })
const count = fc.integer({ min: 1, max: 0xffff_ffff })
const gateway = fc.oneof(address4, address6)

const interfaceArbitrary = fc.record(
  { name: word, mac: word, mtu: count, sandbox: word, socketPath: word, pciId: word },
  { requiredKeys: ['name'] },
)
const routeArbitrary = fc.record(
  { dst: cidr, gw: gateway, mtu: count, advmss: count, priority: count, table: fc.nat(), scope: fc.nat({ max: 255 }) },
  { requiredKeys: ['dst'] },
)
const dnsArbitrary = fc.record(
  { nameservers: fc.array(word), domain: word, search: fc.array(word), options: fc.array(word) },
  { requiredKeys: ['nameservers', 'search', 'options'] },
)

function ipArbitrary(interfaces: number): fc.Arbitrary<ResultIp> {
  const plain = fc.record({ address: cidr, gateway }, { requiredKeys: ['address'] })
  if (interfaces === 0) return plain
  const index = fc.nat({ max: interfaces - 1 })
  return fc.oneof(
    plain,
    fc.tuple(plain, index).map(([ip, at]) => ({ ...ip, interface: at })),
  )
}

const resultArbitrary: fc.Arbitrary<CniResult> = fc.array(interfaceArbitrary, { maxLength: 4 }).chain((interfaces) =>
  fc.record({
    interfaces: fc.constant(interfaces),
    ips: fc.array(ipArbitrary(interfaces.length), { maxLength: 5 }),
    routes: fc.array(routeArbitrary),
    dns: dnsArbitrary,
  }),
)

/** What a version can hold, said independently of the encoder. */
function restrict(result: CniResult, version: CniVersion): CniResult {
  if (version === '1.1.0') return result
  const interfaces = result.interfaces.map(({ mtu, socketPath, pciId, ...kept }) => kept)
  const routes = result.routes.map(({ mtu, advmss, priority, table, scope, ...kept }) => kept)
  if (version !== '0.1.0' && version !== '0.2.0') return { ...result, interfaces, routes }
  const ips = ([4, 6] as const).flatMap((family) => {
    const first = result.ips.find((ip) => cidrFamily(ip.address) === family)
    return first === undefined ? [] : [first]
  })
  return {
    interfaces: [],
    ips: ips.map(({ interface: _, ...kept }) => kept),
    routes: ips.flatMap((ip) => routes.filter((route) => cidrFamily(route.dst) === cidrFamily(ip.address))),
    dns: result.dns,
  }
}

test.each(CNI_VERSIONS)('%s: what is printed is read back, as far as the version holds it', (version) => {
  fc.assert(
    fc.property(resultArbitrary, (result) => {
      fc.pre(result.ips.length > 0 || !version.match(/^0\.[12]/))
      const printed: unknown = JSON.parse(printResult(result, version))
      expect(parseResult(sanitize(printed), '0.4.0', 'r')).toEqual(restrict(result, version))
    }),
  )
})

test('anything is a result or a complaint about its shape', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...CNI_VERSIONS), (value, version) => {
      try {
        parseResult(sanitize(value), version, 'r')
      } catch (error) {
        expect(error).toBeInstanceOf(ShapeError)
      }
    }),
  )
})
