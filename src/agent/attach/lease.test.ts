import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { formatIp, type Mac, macFromIp } from '../../network/model/address.ts'
import { endpointId } from '../../network/model/endpoint.ts'
import { isUnlimited } from '../../network/qos/shaping.ts'
import { isLease, isLinkName, type Lease, leaseIds, leaseOf, linkName } from './lease.ts'

const word = fc.stringMatching(/^[a-z0-9]{1,12}$/)
const lease: fc.Arbitrary<Lease> = fc
  .record({
    container: word,
    ifname: word,
    namespace: word,
    pod: word,
    podUid: fc.option(word, { nil: undefined }),
    v4: fc.bigInt({ min: 0n, max: 0xffffffffn }),
    v6: fc.option(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), { nil: undefined }),
    ofport: fc.integer({ min: 1, max: 0xfeff }),
    netns: fc.string(),
    mtu: fc.integer({ min: 1280, max: 65_535 }),
    network: word,
    plan: fc.option(word, { nil: undefined }),
    limits: fc.option(
      fc.record(
        { toPod: fc.integer({ min: 1_000, max: 1e15 }), fromPod: fc.integer({ min: 1_000, max: 1e15 }) },
        { requiredKeys: [] },
      ),
      { nil: undefined },
    ),
  })
  .map(({ container, ifname, namespace, pod, podUid, v4, v6, ofport, netns, network, mtu, plan, limits }) => {
    const id = endpointId(container, ifname)
    const first = formatIp(4, v4)
    const addresses = v6 === undefined ? [first] : [first, formatIp(6, v6)]
    const uid = podUid === undefined ? {} : { podUid }
    const endpoint = {
      id,
      containerId: container,
      ifname,
      namespace,
      pod,
      ...uid,
      mac: macFromIp(first),
      addresses,
      ofport,
      ...(limits === undefined || isUnlimited(limits) ? {} : { limits }),
    }
    return { endpoint, link: linkName(id), network, netns, mtu, ...(plan === undefined ? {} : { plan }) }
  })

test('a lease survives its record', () => {
  fc.assert(fc.property(lease, (one) => expect(leaseOf(one.link, one.endpoint.ofport, leaseIds(one))).toEqual(one)))
})

test('limits that cannot be read limit nothing, and cost nobody the lease', () => {
  const garbage = fc.oneof(
    fc.string(),
    fc.constantFrom('to-pod=', 'to-pod=999', 'to-pod=1e9', 'from-pod=9999999999999999', 'up=5000'),
  )
  fc.assert(
    fc.property(lease, garbage, (one, text) => {
      const read = leaseOf(one.link, one.endpoint.ofport, new Map([...leaseIds(one), ['weft-limits', text]]))
      if (read === undefined || !isLease(read)) throw new Error('no lease')
      expect(read.endpoint.limits).toBeUndefined()
    }),
  )
})

test('rows of others are nobody’s lease, damaged ones of ours say what is wrong', () => {
  expect(leaseOf('eth0', 1, new Map([['iface-id', 'x']]))).toBeUndefined()
  fc.assert(
    fc.property(
      lease,
      fc.constantFrom('weft-container', 'weft-ifname', 'weft-namespace', 'weft-mac', 'weft-addresses', 'weft-mtu'),
      (one, key) => {
        const damaged = new Map(leaseIds(one))
        damaged.delete(key)
        const record = leaseOf(one.link, one.endpoint.ofport, damaged)
        expect(record !== undefined && !isLease(record) && record.problem.length > 0).toBe(true)
      },
    ),
  )
})

test('no record makes reading throw', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('weft-lease', 'weft-mac', 'weft-addresses', 'weft-container'), fc.string()),
      (ids) => {
        leaseOf('weft0123', undefined, new Map(Object.entries(ids)))
      },
    ),
  )
})

test('links of ours are told by their names, and fit the kernel', () => {
  fc.assert(
    fc.property(fc.string(), (id) => {
      expect(linkName(id).length).toBe(15)
      expect(isLinkName(linkName(id))).toBe(true)
    }),
  )
  for (const name of ['weft0', 'weft-tunnel', 'eth0', 'weftABCDEF01234', 'weft0123456789a0'])
    expect(isLinkName(name)).toBe(false)
})

test('a MAC address is part of the record as it is', () => {
  expect(macFromIp(formatIp(4, 0x0a800002n))).toBe('0a:58:0a:80:00:02' as Mac)
})
