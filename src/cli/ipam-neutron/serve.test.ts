/** Calls of `ipam-neutron` from end to end, on a Neutron that does what the real one cannot be asked to. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { DUAL, NETWORK, type SmallNeutron, type Trouble } from '../../compat/ipam-neutron/testing/small-neutron.ts'
import { neutronError } from '../../openstack/testing/fake-cloud.ts'
import { type Call, Caller } from './testing/caller.ts'

const ABSENT = '99999999-44f9-4318-8c67-a2fed2ccca4f'
const ID = 'e'.repeat(64)

let caller: Caller
let neutron: SmallNeutron
let warned: string[]
beforeEach(() => {
  caller = new Caller()
  neutron = caller.neutron
  warned = caller.warned
})
afterEach(() => caller.stop())

const call = (verb: string, asked?: Call) => caller.call(verb, asked)
const ports = () => caller.ports()
const once = (name: string, trouble: Trouble) => caller.once(name, trouble)

describe('what the document shows', () => {
  test('ADD gives an address, DEL takes it back, again and again', async () => {
    const added = await call('ADD')
    expect(added).toEqual(
      expect.objectContaining({
        status: 0,
        answer: {
          cniVersion: '0.3.1',
          ips: [{ version: '4', address: '203.0.113.2/24', gateway: '203.0.113.1' }],
          dns: {},
        },
      }),
    )
    expect(ports()[0]).toEqual(
      expect.objectContaining({
        name: 'weft/example/dummy0',
        device_id: 'weft:example/dummy0',
        device_owner: 'compute:weft',
        tags: ['weft', 'weft-network=examplenet', expect.stringMatching(/^weft-machine=/), 'weft-node=node1'],
      }),
    )
    expect((await call('ADD')).output).toBe(added.output)
    expect(ports()).toHaveLength(1)
    for (const _ of ['once', 'twice']) expect(await call('DEL')).toEqual({ status: 0, answer: undefined, output: '' })
    expect(ports()).toEqual([])
  })

  test('its encrypted password is understood, with a warning', async () => {
    expect((await call('ADD', { account: { password: 'c111f3c44f352e91ce76' } })).status).toBe(0)
    expect(warned).toEqual([expect.stringContaining('encrypted with a key that is published')])
  })

  test('three calls beside the token, one of them after the others', async () => {
    await call('ADD')
    expect(neutron.heard.toSorted()).toEqual(['GET /ports', 'GET /subnets', 'POST /ports'])
    expect(neutron.cloud.asked.keystone).toBe(1)
  })

  test.each(['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'])('version %s', async (version) => {
    const { answer } = await call('ADD', { version, ipam: { routes: [{ dst: '10.96.0.0/12' }] } })
    const gateway = '203.0.113.1'
    const ip = { address: '203.0.113.2/24', gateway }
    const routes = [{ dst: '10.96.0.0/12' }]
    const old = { ip4: { ip: '203.0.113.2/24', gateway, routes } }
    const body = version < '0.3' ? old : { ips: [version < '1' ? { version: '4', ...ip } : ip], routes }
    expect(answer).toEqual({ cniVersion: version, ...body, dns: {} })
    expect((await call('DEL', { version })).status).toBe(0)
  })
})

describe('what the old plugin passed over', () => {
  test('every network and every family', async () => {
    const { answer } = await call('ADD', { networks: [DUAL, NETWORK] })
    expect(answer.ips).toEqual([
      { version: '4', address: '198.51.100.2/24' },
      { version: '6', address: '2001:db8::1/64', gateway: '2001:db8::1' },
      { version: '4', address: '203.0.113.3/24', gateway: '203.0.113.1' },
    ])
    await call('DEL', { networks: [DUAL, NETWORK] })
    expect(ports()).toEqual([])
  })

  test('addresses that are asked for, name servers, groups by name, the pod', async () => {
    const env = { CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0;IP=203.0.113.77' }
    const ipam = {
      resolvConf: '/etc/resolv.conf',
      neutronConf: { networks: [NETWORK], securityGroups: ['one', ABSENT] },
    }
    const { answer } = await call('ADD', { env, ipam })
    expect([answer.ips[0].address, answer.dns]).toEqual(['203.0.113.77/24', { nameservers: ['10.0.0.2'] }])
    expect(ports()[0]).toEqual(
      expect.objectContaining({
        name: 'weft/shop/web-0/dummy0',
        security_groups: ['33333333-0000-4000-8000-000000000000', ABSENT],
      }),
    )
  })

  test('what is for the link is not its business', async () => {
    expect((await call('ADD', { more: { type: 'ipvlan', mtu: 900, namespace: 'Not_One' } })).status).toBe(0)
  })

  test('two interfaces of one container have a port each', async () => {
    await call('ADD')
    await call('ADD', { env: { CNI_IFNAME: 'net1' } })
    await call('DEL')
    expect(ports().map((port) => port['device_id'])).toEqual(['weft:example/net1'])
  })

  test('a result that is too small for its addresses leaves nothing', async () => {
    const { answer } = await call('ADD', { networks: [DUAL, NETWORK], version: '0.2.0' })
    expect(answer).toEqual(expect.objectContaining({ code: 111, details: expect.stringContaining('0.3.1 or newer') }))
    expect(ports()).toEqual([])
  })

  test('CHECK, GC and STATUS', async () => {
    const version = '1.1.0'
    const { answer } = await call('ADD', { version })
    const check = () => call('CHECK', { version, more: { prevResult: answer } })
    expect((await check()).status).toBe(0)
    expect((await call('STATUS', { version })).status).toBe(0)
    await call('ADD', { version, env: { CNI_CONTAINERID: 'other' } })
    await call('ADD', { version, env: { CNI_CONTAINERID: 'elsewhere' }, options: { node: 'node2' } })
    await call('ADD', { version, env: { CNI_CONTAINERID: 'clone' }, options: { machine: 'x' } })
    await call('ADD', { version, env: { CNI_CONTAINERID: 'network' }, more: { name: 'another' } })
    neutron.put({ name: 'somebody', tags: ['weft', 'weft-network=examplenet'], device_id: 'weft:gone/eth0' })
    neutron.put({ name: 'pool', tags: ports()[0]?.tags ?? [], device_id: '' })
    const valid = [{ containerID: 'example', ifname: 'dummy0' }]
    expect((await call('GC', { version, more: { 'cni.dev/valid-attachments': valid } })).status).toBe(0)
    expect(ports().map(({ name }) => name)).toEqual([
      'weft/example/dummy0',
      'weft/elsewhere/dummy0',
      'weft/clone/dummy0',
      'weft/network/dummy0',
      'somebody',
      'pool',
    ])
    await call('DEL', { version })
    expect((await check()).answer).toEqual(
      expect.objectContaining({
        code: 120,
        msg: expect.stringContaining(`its port on Neutron network ${NETWORK} is gone`),
      }),
    )
    expect((await call('STATUS', { version })).answer).toEqual(
      expect.objectContaining({ code: 50, msg: expect.stringContaining('has 5 of 3 ports') }),
    )
  })
})

describe('ports of others', () => {
  const old = { name: ID, device_id: '', device_owner: '' }

  test('those of the old plugin go with their container', async () => {
    neutron.put(old)
    neutron.put(old)
    const kept = [
      { ...old, network_id: DUAL },
      { ...old, device_id: 'vm' },
      { ...old, tags: ['mine'] },
      { ...old, name: 'web' },
    ]
    for (const port of kept) neutron.put(port)
    expect((await call('DEL', { env: { CNI_CONTAINERID: ID } })).status).toBe(0)
    expect((await call('DEL', { env: { CNI_CONTAINERID: 'web' } })).status).toBe(0)
    expect(ports()).toEqual(kept.map((port) => expect.objectContaining(port)))
  })

  test('an empty container id is refused before anybody is asked', async () => {
    neutron.put(old)
    for (const verb of ['ADD', 'DEL']) {
      expect((await call(verb, { env: { CNI_CONTAINERID: '' } })).answer.code).toBe(3)
    }
    expect([neutron.heard, ports().length]).toEqual([[], 1])
  })

  test('the database’s view of capitals is not ours', async () => {
    await call('ADD', { env: { CNI_CONTAINERID: 'EXAMPLE' } })
    await call('DEL')
    expect(ports()).toHaveLength(1)
    await call('ADD')
    expect(ports()).toHaveLength(2)
  })
})

describe('when the answer to a port is lost', () => {
  const lost = () => new Response('', { status: 503 })

  test('the port is found', async () => {
    once('POST /ports', { kind: 'lost', answer: lost })
    expect((await call('ADD')).answer.ips).toHaveLength(1)
    expect(neutron.heard.filter((one) => one === 'POST /ports')).toHaveLength(1)
    expect(ports()).toHaveLength(1)
  })

  test('and it comes late, it is found late', async () => {
    once('POST /ports', { kind: 'late', by: 300, answer: lost })
    expect((await call('ADD')).status).toBe(0)
    expect(ports()).toHaveLength(1)
  })

  test('and it was never made, it is asked for again', async () => {
    once('POST /ports', { kind: 'refused', answer: lost })
    expect((await call('ADD')).status).toBe(0)
    expect(ports()).toHaveLength(1)
  }, 20_000)

  test('of two that are there the one with the lower ID stays', async () => {
    await call('ADD')
    const [first] = ports()
    neutron.put({ ...first })
    expect(ports()).toHaveLength(2)
    expect((await call('ADD')).answer.ips[0].address).toBe('203.0.113.2/24')
    expect(ports().map(({ id }) => id)).toEqual([first?.id ?? ''])
  })

  test('a failed ADD leaves no port: what is still to come is waited for', async () => {
    neutron.trouble = (heard) => (heard === 'POST /ports' ? { kind: 'late', by: 2_500, answer: lost } : undefined)
    const ending = new AbortController()
    const adding = call('ADD', { options: { signal: ending.signal } })
    while (!neutron.heard.includes('POST /ports')) await Bun.sleep(5)
    ending.abort()
    expect((await adding).answer.code).toBe(11)
    expect([ports(), warned]).toEqual([[], []])
  }, 20_000)

  test('a failed ADD leaves no port, also where a look for it fails', async () => {
    neutron.trouble = (heard, nth) => {
      if (heard === 'POST /ports') return { kind: 'late', by: 100, answer: lost }
      return heard === 'GET /ports' && nth > 1 && nth < 6 ? { kind: 'refused', answer: lost } : undefined
    }
    expect((await call('ADD')).answer.code).toBe(11)
    expect([ports(), warned]).toEqual([[], []])
  }, 20_000)

  test('a failed ADD of two networks leaves neither', async () => {
    neutron.trouble = (heard, nth) =>
      heard === 'POST /ports' && nth === 2
        ? { kind: 'refused', answer: () => neutronError(409, 'OverQuota') }
        : undefined
    expect((await call('ADD', { networks: [NETWORK, DUAL] })).answer.code).toBe(173)
    expect(ports()).toEqual([])
  })

  test('a repeated ADD that fails leaves what was there', async () => {
    await call('ADD')
    neutron.trouble = (heard) =>
      heard === 'POST /ports' ? { kind: 'refused', answer: () => neutronError(409, 'OverQuota') } : undefined
    expect((await call('ADD', { networks: [NETWORK, DUAL] })).answer.code).toBe(173)
    expect(ports()).toHaveLength(1)
  })

  test('ended in the middle, as by SIGTERM, it leaves nothing', async () => {
    once('POST /ports', { kind: 'hangs' })
    const ending = new AbortController()
    const session = { limits: { attempt: 500, attempts: 1 } }
    const adding = call('ADD', { options: { signal: ending.signal, session } })
    while (!neutron.heard.includes('POST /ports')) await Bun.sleep(5)
    neutron.put({ ...{ device_id: 'weft:example/dummy0', tags: tagsOf() } })
    ending.abort()
    expect((await adding).answer).toEqual(expect.objectContaining({ code: 11 }))
    expect(ports()).toEqual([])
  }, 20_000)

  test('what cannot be taken back is told', async () => {
    neutron.trouble = (heard) => {
      if (heard === 'POST /ports') return { kind: 'lost', answer: () => neutronError(409, 'OverQuota') }
      return heard === 'DELETE /ports/ID' ? { kind: 'refused', answer: lost } : undefined
    }
    expect((await call('ADD')).answer.code).toBe(173)
    expect(warned).toEqual([
      expect.stringMatching(/^A port of this container may be left in Neutron until its DEL or GC/),
    ])
  })
})

function tagsOf(): readonly string[] {
  // Those of the call that is under way.
  return ['weft', 'weft-network=examplenet', 'weft-machine=e3b0c44298fc1c14', 'weft-node=node1']
}
