import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { CNI_VERBS, CNI_VERSIONS, CniError, parseRequest, requestedVersion } from './index.ts'

/** Mostly what is right, so that every check is reached and passed. */
function mostly<Right, Wrong>(right: fc.Arbitrary<Right>, wrong: fc.Arbitrary<Wrong>): fc.Arbitrary<Right | Wrong> {
  return fc.oneof({ weight: 9, arbitrary: right }, { weight: 1, arbitrary: wrong })
}

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', 'eth0', 'a', '..', '\0'))

const environment = fc.record({
  CNI_COMMAND: mostly(fc.constantFrom<string>(...CNI_VERBS), text),
  CNI_CONTAINERID: mostly(fc.constant('c1'), text),
  CNI_NETNS: mostly(fc.constant('/run/netns/a'), text),
  CNI_IFNAME: mostly(fc.constant('eth0'), text),
  CNI_PATH: mostly(fc.constant('/opt/cni/bin'), fc.constantFrom(undefined, '')),
  CNI_ARGS: mostly(fc.constant('IgnoreUnknown=1;K8S_POD_NAME=a'), text),
})

const json = fc.jsonValue({ maxDepth: 4 })
const config = fc.record(
  {
    cniVersion: mostly(fc.constantFrom<string>(...CNI_VERSIONS), json),
    name: mostly(fc.constant('pods'), json),
    namespace: mostly(fc.constant('blue'), json),
    mtu: mostly(fc.constantFrom(0, 1400), json),
    runtimeConfig: fc.oneof(
      fc.constant({}),
      fc.record(
        { mac: json, ips: json, bandwidth: json, portMappings: fc.array(json), dns: json },
        { requiredKeys: [] },
      ),
    ),
    prevResult: mostly(
      fc.constant({ ips: [{ address: '10.1.0.5/24' }] }),
      fc.record({ ips: json, interfaces: json, routes: json, ip4: json }, { requiredKeys: [] }),
    ),
    args: mostly(fc.constant({}), fc.oneof(json, fc.record({ cni: json }))),
    'cni.dev/valid-attachments': mostly(
      fc.constant([{ containerID: 'c1', ifname: 'eth0' }]),
      fc.array(fc.record({ containerID: json, ifname: json })),
    ),
  },
  { requiredKeys: ['name'] },
)

const input = fc.oneof(
  { weight: 6, arbitrary: config.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string() },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
)

test('every call is a request or an error with a specified code, nothing else', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(environment, input, (env, stdin) => {
      try {
        seen.add(parseRequest(env, stdin).verb)
      } catch (error) {
        expect(error).toBeInstanceOf(CniError)
        if (error instanceof CniError) {
          expect([1, 3, 4, 5, 6, 7]).toContain(error.code)
          seen.add(String(error.code))
        }
      }
    }),
    { numRuns: 3000 },
  )
  // The property says something only if it meets good calls and each kind of fault.
  expect([...seen].sort()).toEqual(
    expect.arrayContaining(['1', '4', '6', '7', 'ADD', 'DEL', 'GC', 'STATUS', 'VERSION']),
  )
})

test('DEL frees the attachment whatever its configuration holds beside name and version', () => {
  fc.assert(
    fc.property(config, text, (extra, args) => {
      const env = { CNI_COMMAND: 'DEL', CNI_CONTAINERID: 'c1', CNI_IFNAME: 'eth0', CNI_PATH: '/x', CNI_ARGS: args }
      const stdin = JSON.stringify({ ...extra, cniVersion: '1.0.0', name: 'pods' })
      expect(parseRequest(env, stdin)).toMatchObject({ verb: 'DEL', containerId: 'c1', config: { name: 'pods' } })
    }),
  )
})

test('the version for errors is found without ever throwing', () => {
  fc.assert(
    fc.property(input, (stdin) => {
      expect([undefined, ...CNI_VERSIONS]).toContain(requestedVersion(stdin))
    }),
  )
  expect(requestedVersion('{"cniVersion":"0.3.1","name":7}')).toBe('0.3.1')
})

test('nesting without end is refused, not followed', () => {
  const env = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'c1', CNI_NETNS: '/n', CNI_IFNAME: 'eth0', CNI_PATH: '/x' }
  expect(() => parseRequest(env, '{"a":'.repeat(150_000))).toThrow('unexpected end')
  const deep = `${'{"a":'.repeat(150_000)}1${'}'.repeat(150_000)}`
  expect(() => parseRequest(env, deep)).toThrow('nested deeper than 64 levels')
})
