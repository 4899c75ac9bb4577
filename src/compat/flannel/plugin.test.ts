import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { CniError } from '../../cni/errors.ts'
import { type JsonObject, ShapeError, sanitize } from '../../cni/json.ts'
import { delegateConfig, flannelPlaces } from './plugin.ts'

const ENV = 'FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.7.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n'
const delegate = (config: JsonObject, text = ENV) => delegateConfig(config, 'cbr0', text, '/run/flannel/subnet.env')

describe('what the delegate is called with', () => {
  test('as kube-flannel’s conflist has it', () => {
    const config = { cniVersion: '0.3.1', type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } }
    expect(delegate(config)).toEqual({
      cniVersion: '0.3.1',
      name: 'cbr0',
      type: 'bridge',
      hairpinMode: true,
      isDefaultGateway: true,
      isGateway: true,
      ipMasq: false,
      mtu: 1450,
      ipam: { type: 'host-local', ranges: [[{ subnet: '10.244.7.0/24' }]], routes: [{ dst: '10.244.0.0/16' }] },
    })
  })

  test('what an administrator says of the delegate and its addresses counts, but for the ranges', () => {
    const ipam = {
      type: 'other',
      routes: [{ dst: '192.0.2.0/24' }],
      ranges: [[{ subnet: '10.9.0.0/24' }]],
      dataDir: '/x',
    }
    const config = { delegate: { type: 'ptp', mtu: 1400, ipMasq: true }, ipam, runtimeConfig: { ips: [] } }
    expect(delegate(config)).toEqual({
      name: 'cbr0',
      type: 'ptp',
      mtu: 1400,
      ipMasq: true,
      runtimeConfig: { ips: [] },
      ipam: {
        type: 'other',
        dataDir: '/x',
        ranges: [[{ subnet: '10.244.7.0/24' }]],
        routes: [{ dst: '192.0.2.0/24' }, { dst: '10.244.0.0/16' }],
      },
    })
  })

  test('both families, and a list of networks', () => {
    const text = `${ENV.replace('10.244.0.0/16', '10.244.0.0/16,10.245.0.0/16,10.244.0.0/16')}FLANNEL_IPV6_NETWORK=fd00:10::/48\nFLANNEL_IPV6_SUBNET=fd00:10:0:7::1/64\n`
    expect(delegate({}, text)['ipam']).toEqual({
      type: 'host-local',
      ranges: [[{ subnet: '10.244.7.0/24' }], [{ subnet: 'fd00:10:0:7::/64' }]],
      routes: [{ dst: '10.244.0.0/16' }, { dst: '10.245.0.0/16' }, { dst: 'fd00:10::/48' }],
    })
  })
})

describe('what is refused', () => {
  test.each<[JsonObject, string]>([
    [{ delegate: { name: 'x' } }, 'delegate.name'],
    [{ delegate: { ipam: {} } }, 'delegate.ipam'],
    [{ delegate: { type: 7 } }, 'delegate.type'],
    [{ delegate: { type: '../../bin/sh' } }, 'delegate.type'],
    [{ delegate: { type: 'flannel' } }, 'delegate.type'],
    [{ delegate: [] }, 'delegate'],
    [{ ipam: { type: '/x' } }, 'ipam.type'],
    [{ ipam: { type: 'host-local', routes: [7] } }, 'ipam.routes[0]'],
    [{ runtimeConfig: 7 }, 'runtimeConfig'],
    [{ dataDir: 'here' }, 'dataDir'],
    [{ subnetFile: '../x' }, 'subnetFile'],
  ])('%j', (config, path) => {
    const read = () => [flannelPlaces(config), delegate(config)]
    expect(read).toThrow(expect.objectContaining({ path }))
  })

  test.each<[string, string]>([
    ['', 'FLANNEL_NETWORK, FLANNEL_SUBNET, FLANNEL_MTU, FLANNEL_IPMASQ'],
    [ENV.replace('1450', '1e9'), 'FLANNEL_MTU'],
    [ENV.replace('10.244.7.1/24', '10.244.7.1/99'), 'FLANNEL_SUBNET'],
  ])('a file that lacks something: %j', (text, names) => {
    expect(() => delegate({}, text)).toThrow(
      expect.objectContaining({
        id: 'flannel-not-ready',
        code: 11,
        message: expect.stringContaining(`lacks ${names}`),
      }),
    )
  })

  test('anything is a configuration or refused', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('delegate', 'ipam', 'runtimeConfig', 'cniVersion'), fc.jsonValue()),
        fc.string(),
        (config, text) => {
          for (const env of [text, ENV]) {
            try {
              delegate(sanitize(config) as JsonObject, env)
            } catch (error) {
              expect(error instanceof ShapeError || error instanceof CniError).toBe(true)
            }
          }
        },
      ),
    )
  })
})
