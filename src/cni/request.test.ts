import { describe, expect, test } from 'bun:test'
import { CNI_VERSIONS, CniError, MAX_INPUT, parseRequest } from './index.ts'

const ENV = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'c0ffee',
  CNI_NETNS: '/var/run/netns/a',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin:/usr/lib/cni',
}
const CONFIG = { cniVersion: '1.1.0', name: 'pods', type: 'weft' }

const RESULT = { cniVersion: '1.1.0', interfaces: [{ name: 'eth0' }], ips: [{ address: '10.1.0.5/24', interface: 0 }] }

function call(environment: object, config: unknown = CONFIG) {
  const env = { ...ENV, ...environment }
  return parseRequest(env, typeof config === 'string' ? config : JSON.stringify(config))
}

/** `code: message` of the error, or the verb. */
function outcome(environment: object, config?: unknown): string {
  try {
    return call(environment, config).verb
  } catch (error) {
    if (error instanceof CniError) return `${error.code}: ${error.message}`
    throw error
  }
}

describe('environment', () => {
  test.each([
    ['ADD', '4: required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing'],
    ['CHECK', '4: required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing'],
    ['DEL', '4: required env variables [CNI_CONTAINERID,CNI_IFNAME,CNI_PATH] missing'],
    ['GC', '4: required env variables [CNI_PATH] missing'],
    ['STATUS', '4: required env variables [CNI_PATH] missing'],
    ['VERSION', 'VERSION'],
    ['', '4: required env variables [CNI_COMMAND] missing'],
    ['add', '4: unknown CNI_COMMAND: add'],
    ['UPDATE', '4: unknown CNI_COMMAND: UPDATE'],
    ['toString', '4: unknown CNI_COMMAND: toString'],
  ])('%s with nothing else set: %s', (CNI_COMMAND, expected) => {
    const nothing = { CNI_CONTAINERID: undefined, CNI_NETNS: undefined, CNI_IFNAME: undefined, CNI_PATH: undefined }
    expect(outcome({ ...nothing, CNI_COMMAND })).toBe(expected)
  })

  test.each([
    [{ CNI_NETNS: '' }, '4: required env variables [CNI_NETNS] missing'],
    [{ CNI_IFNAME: '', CNI_PATH: '' }, '4: required env variables [CNI_IFNAME,CNI_PATH] missing'],
    [{ CNI_CONTAINERID: '' }, '3: CNI_CONTAINERID is empty'],
    [{ CNI_CONTAINERID: '-a' }, /^4: invalid CNI_CONTAINERID "-a"/],
    [{ CNI_CONTAINERID: 'a/../b' }, /^4: invalid CNI_CONTAINERID/],
    [{ CNI_CONTAINERID: 'a\n' }, /^4: invalid CNI_CONTAINERID/],
    [{ CNI_CONTAINERID: 'x'.repeat(254) }, /^4: invalid CNI_CONTAINERID/],
    [{ CNI_CONTAINERID: 'A0_.-' }, 'ADD'],
    [{ CNI_IFNAME: '.' }, /^4: invalid CNI_IFNAME/],
    [{ CNI_IFNAME: '..' }, /^4: invalid CNI_IFNAME/],
    [{ CNI_IFNAME: 'a/b' }, /^4: invalid CNI_IFNAME/],
    [{ CNI_IFNAME: 'a:b' }, /^4: invalid CNI_IFNAME/],
    [{ CNI_IFNAME: 'a b' }, /^4: invalid CNI_IFNAME/],
    [{ CNI_IFNAME: 'a\tb' }, /^4: invalid CNI_IFNAME/],
    [{ CNI_IFNAME: 'a'.repeat(16) }, /^4: invalid CNI_IFNAME/],
    [{ CNI_IFNAME: 'é'.repeat(8) }, /^4: invalid CNI_IFNAME/],
    [{ CNI_IFNAME: 'a'.repeat(15) }, 'ADD'],
    [{ CNI_NETNS: 'x'.repeat(4096) }, /^4: invalid CNI_NETNS/],
    [{ CNI_ARGS: 'IgnoreUnknown=1;A=B' }, 'ADD'],
    [{ CNI_ARGS: 'A=B' }, /^4: invalid CNI_ARGS .* unknown key A/],
    [{ CNI_ARGS: 'IgnoreUnknown=1;A' }, /^4: invalid CNI_ARGS/],
    [{ CNI_ARGS: 'IgnoreUnknown=1;A=B=C' }, /^4: invalid CNI_ARGS/],
    [{ CNI_ARGS: 'IgnoreUnknown=1;' }, /^4: invalid CNI_ARGS/],
  ])('%j: %j', (environment, expected) => {
    if (typeof expected === 'string') expect(outcome(environment)).toBe(expected)
    else expect(outcome(environment)).toMatch(expected)
  })

  test('anything but variables is an environment without any', () => {
    for (const environment of [undefined, null, 7, 'CNI_COMMAND=ADD', [], new Map([['CNI_COMMAND', 7]])]) {
      expect(() => parseRequest(environment, '{}')).toThrow('[CNI_COMMAND] missing')
    }
  })

  test('a map serves as well as an object', () => {
    expect(parseRequest(new Map(Object.entries(ENV)), JSON.stringify(CONFIG)).verb).toBe('ADD')
  })
})

describe('configuration', () => {
  test.each([
    ['', '6: the network configuration is not a JSON object: empty'],
    ['{', '6: the network configuration is not a JSON object: unexpected end at line 1, column 2'],
    ['[]', '6: the network configuration is not a JSON object: not an object'],
    ['null', '6: the network configuration is not a JSON object: not an object'],
    [`${'{"a":'.repeat(70)}1${'}'.repeat(70)}`, /^6: .*nested deeper/],
    [{ name: 'a', cniVersion: 1 }, '6: cniVersion in the network configuration is not a string'],
    [{ cniVersion: '1.1.0' }, '7: invalid network configuration: name: is missing'],
    [{ ...CONFIG, name: '../a' }, /^7: invalid network configuration: name/],
    [{ ...CONFIG, name: 7 }, /^7: invalid network configuration: name/],
    [{ ...CONFIG, cniVersion: '2.0.0' }, /^1: incompatible CNI versions: config is "2.0.0", plugin supports \["0.1.0"/],
    [{ ...CONFIG, namespace: 'Blue' }, /^7: invalid network configuration: namespace/],
    [{ ...CONFIG, namespace: {} }, /^7: invalid network configuration: namespace/],
    [{ ...CONFIG, mtu: 1279 }, /^7: invalid network configuration: mtu/],
    [{ ...CONFIG, mtu: '1400' }, /^7: invalid network configuration: mtu/],
    [{ ...CONFIG, mtu: 1400.5 }, /^7: invalid network configuration: mtu/],
    [{ ...CONFIG, type: 7 }, /^7: invalid network configuration: type/],
    [{ ...CONFIG, args: { cni: { ips: ['x'] } } }, /^7: invalid network configuration: args.cni.ips\[0\]/],
    [{ ...CONFIG, runtimeConfig: [] }, /^7: invalid network configuration: runtimeConfig/],
    [{ ...CONFIG, runtimeConfig: { mac: '01:00:5e:00:00:01' } }, /^7: .* runtimeConfig.mac: must be a unicast/],
    [{ ...CONFIG, runtimeConfig: { mac: '00:00:00:00:00:00' } }, /^7: .* runtimeConfig.mac: must be a unicast/],
    [{ ...CONFIG, runtimeConfig: { ips: ['10.0.0.1/33'] } }, /^7: .* runtimeConfig.ips\[0\]/],
    [{ ...CONFIG, runtimeConfig: { bandwidth: { ingressRate: -1 } } }, /^7: .* runtimeConfig.bandwidth.ingressRate/],
    [
      { ...CONFIG, runtimeConfig: { portMappings: [{ hostPort: 1 }] } },
      /^7: .*portMappings\[0\].containerPort: is missing/,
    ],
    [{ ...CONFIG, runtimeConfig: { dns: { servers: [1] } } }, /^7: .* runtimeConfig.dns.servers\[0\]/],
    [{ ...CONFIG, dns: 'x' }, '7: invalid network configuration: dns: must be an object'],
    [{ ...CONFIG, dns: { nameservers: '10.0.0.1' } }, /^7: .* dns.nameservers: must be a list/],
    [{ ...CONFIG, dns: { search: [7] } }, /^7: .* dns.search\[0\]: must be a string/],
    [{ ...CONFIG, prevResult: { cniVersion: '1.1.0', ips: [{ address: 'x' }] } }, /^7: .* prevResult.ips\[0\].address/],
    [{ ...CONFIG, prevResult: 'x' }, /^7: .* prevResult: must be an object/],
  ])('%j: %j', (config, expected) => {
    if (typeof expected === 'string') expect(outcome({}, config)).toBe(expected)
    else expect(outcome({}, config)).toMatch(expected)
  })

  test('bytes that are not UTF-8 and inputs over 1 MiB are refused', () => {
    expect(() => parseRequest(ENV, new Uint8Array([0x7b, 0xff, 0x7d]))).toThrow('not UTF-8')
    expect(() => parseRequest(ENV, new Uint8Array(1_048_577))).toThrow('larger than the limit of 1048576')
    expect(() => parseRequest(ENV, undefined)).toThrow('could not be read')
  })

  test('a configuration without a version is 0.1.0', () => {
    expect(call({}, { name: 'pods' })).toMatchObject({ config: { version: '0.1.0', type: undefined } })
    expect(call({}, { name: 'pods', cniVersion: '' })).toMatchObject({ config: { version: '0.1.0' } })
  })

  test('prototypes cannot be polluted, duplicate keys are harmless', () => {
    const text =
      '{"cniVersion":"1.1.0","name":"a","name":"b","__proto__":{"mtu":1400},"x":{"__proto__":{"polluted":1}}}'
    const request = call({}, text)
    expect(request).toMatchObject({ config: { name: 'b', mtu: undefined } })
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
    expect(JSON.stringify(request)).not.toContain('polluted')
  })
})

describe('verbs and versions', () => {
  test.each(CNI_VERSIONS)('%s', (cniVersion) => {
    const config = { ...CONFIG, cniVersion, prevResult: { ips: [], ip4: undefined }, 'cni.dev/valid-attachments': [] }
    const served = ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS'].filter(
      (verb) => outcome({ CNI_COMMAND: verb }, config) === verb,
    )
    const expected = { '1.1.0': 'ADD DEL CHECK GC STATUS', '1.0.0': 'ADD DEL CHECK', '0.4.0': 'ADD DEL CHECK' }
    expect(served.join(' ')).toBe(Reflect.get(expected, cniVersion) ?? 'ADD DEL')
  })

  test.each([
    ['CHECK', '0.3.1', '1: config version "0.3.1" does not allow CHECK: it exists since 0.4.0'],
    ['GC', '1.0.0', '1: config version "1.0.0" does not allow GC: it exists since 1.1.0'],
    ['STATUS', '1.0.0', '1: config version "1.0.0" does not allow STATUS: it exists since 1.1.0'],
    ['CHECK', '1.0.0', '7: CHECK needs prevResult in the network configuration'],
    ['GC', '1.1.0', '7: GC without cni.dev/valid-attachments: nothing was removed'],
    ['DEL', '3.0.0', /^1: incompatible/],
  ])('%s in %s: %j', (CNI_COMMAND, cniVersion, expected) => {
    const result = outcome({ CNI_COMMAND }, { ...CONFIG, cniVersion })
    if (typeof expected === 'string') expect(result).toBe(expected)
    else expect(result).toMatch(expected)
  })

  test('VERSION says which version it was asked in, whatever the rest', () => {
    expect(call({ CNI_COMMAND: 'VERSION' }, '{"cniVersion":"0.4.0"}')).toEqual({ verb: 'VERSION', requested: '0.4.0' })
    expect(call({ CNI_COMMAND: 'VERSION' }, 'garbage')).toEqual({ verb: 'VERSION', requested: undefined })
  })
})

describe('what a request holds', () => {
  test('ADD, everything given', () => {
    const CNI_ARGS =
      'IgnoreUnknown=1;K8S_POD_NAMESPACE=blue;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=c0ffee;K8S_POD_UID=u-1;X=y'
    const runtimeConfig = {
      mac: '0A-58-0A-01-00-05',
      ips: ['10.1.0.5/24', 'fd00::5'],
      bandwidth: { ingressRate: 1000, egressBurst: 8 },
      portMappings: [
        { hostPort: 80, containerPort: 8080, protocol: 'UDP', hostIP: '::1' },
        { hostPort: 1, containerPort: 2 },
      ],
      dns: { servers: ['10.0.0.1'] },
      aliases: ['db'],
      deviceID: '0000:00:01.0',
      cgroupPath: '/x',
    }
    const args = { cni: { labels: [{ key: 'app', value: 'web' }], ips: ['10.1.0.5'] } }
    const dns = { nameservers: ['10.0.0.2'], domain: 'example.org' }
    const config = { ...CONFIG, namespace: 'green', mtu: 1400, dns, ipam: { type: 'x' }, other: 1, runtimeConfig, args }
    expect(call({ CNI_ARGS }, { ...config, prevResult: RESULT })).toMatchObject({
      verb: 'ADD',
      containerId: 'c0ffee',
      ifname: 'eth0',
      netns: '/var/run/netns/a',
      path: ['/opt/cni/bin', '/usr/lib/cni'],
      args: { pod: { namespace: 'blue', name: 'web-0', uid: 'u-1', infraContainerId: 'c0ffee' } },
      config: {
        version: '1.1.0',
        name: 'pods',
        type: 'weft',
        ipamType: 'x',
        namespace: 'green',
        mtu: 1400,
        dns: { ...dns, search: [], options: [] },
        runtime: {
          mac: '0a:58:0a:01:00:05',
          ips: ['10.1.0.5/24', 'fd00::5'],
          bandwidth: { ingressRate: 1000, egressBurst: 8 },
          portMappings: [
            { hostPort: 80, containerPort: 8080, protocol: 'udp', hostIp: '::1' },
            { hostPort: 1, containerPort: 2, protocol: 'tcp' },
          ],
          dns: { servers: ['10.0.0.1'], searches: [], options: [] },
          aliases: ['db'],
          deviceId: '0000:00:01.0',
        },
        args: args.cni,
        raw: { other: 1 },
      },
      prevResult: { interfaces: [{ name: 'eth0' }], ips: [{ address: '10.1.0.5/24', interface: 0 }], routes: [] },
    })
  })

  test.each([
    [undefined, false],
    ['', false],
    ['0', false],
    ['1', true],
    ['true', true],
    ['TRUE', true],
  ])('CNI_NETNS_OVERRIDE=%s: %s', (CNI_NETNS_OVERRIDE, allowHostNetns) => {
    expect(call({ CNI_NETNS_OVERRIDE })).toMatchObject({ allowHostNetns })
  })

  test.each<readonly [string, unknown]>([
    ['nothing on standard input', ''],
    ['white space only', ' \n\t'],
    ['no input at all', undefined],
    ['bytes that are not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d])],
    ['an input over 1 MiB', new Uint8Array(MAX_INPUT + 1).fill(0x20)],
    ['half a JSON object', '{"a"'],
    ['a list', '[]'],
    ['an object nested too deep', `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`],
    ['an object that says nothing', '{}'],
    ['a name that is none', '{"cniVersion":"1.1.0","name":"../a"}'],
    ['a version that is a number', '{"cniVersion":1,"name":"pods"}'],
  ])('DEL with %s still names the attachment', (_, input) => {
    expect(parseRequest({ ...ENV, CNI_COMMAND: 'DEL', CNI_NETNS: undefined }, input)).toMatchObject({
      verb: 'DEL',
      containerId: 'c0ffee',
      ifname: 'eth0',
      netns: undefined,
      config: undefined,
      prevResult: undefined,
    })
  })

  test('DEL with malformed keys, result and arguments still names the attachment', () => {
    const config = { ...CONFIG, mtu: 'x', dns: 'x', namespace: 7, runtimeConfig: 'x', prevResult: { ips: 'x' } }
    expect(call({ CNI_COMMAND: 'DEL', CNI_ARGS: '===' }, config)).toMatchObject({
      verb: 'DEL',
      containerId: 'c0ffee',
      args: { pod: undefined },
      config: { name: 'pods', mtu: undefined, namespace: undefined },
      prevResult: undefined,
    })
  })

  test('DEL whose environment names no attachment is refused, whatever the input', () => {
    expect(outcome({ CNI_COMMAND: 'DEL', CNI_CONTAINERID: '' }, '{')).toStartWith('3: ')
    expect(outcome({ CNI_COMMAND: 'DEL', CNI_IFNAME: 'a/b' }, '{')).toStartWith('4: ')
  })

  const attachment = { containerID: 'a', ifname: 'eth0' }
  test.each([
    [{ 'cni.dev/valid-attachments': [attachment] }, ['a']],
    [{ 'cni.dev/attachments': [attachment] }, ['a']],
    [{ 'cni.dev/valid-attachments': [], 'cni.dev/attachments': [attachment] }, []],
    [{ 'cni.dev/valid-attachments': null }, []],
  ])('GC keeps %j', (keys, expected) => {
    const request = call({ CNI_COMMAND: 'GC' }, { ...CONFIG, ...keys })
    if (request.verb !== 'GC') throw new Error('not GC')
    expect(request.validAttachments.map((item) => item.containerId)).toEqual(expected)
  })

  test.each([{}, 'x', [7], [{ ifname: 'eth0' }], [{ containerID: 'a' }], [{ containerID: 'a', ifname: 7 }]])(
    'GC refuses the list %j',
    (attachments) => {
      const config = { ...CONFIG, 'cni.dev/valid-attachments': attachments }
      expect(outcome({ CNI_COMMAND: 'GC' }, config)).toStartWith('7: ')
    },
  )
})
