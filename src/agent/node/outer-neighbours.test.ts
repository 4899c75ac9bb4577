import { describe, expect, test } from 'bun:test'
import { gatewayIn, neighboursIn } from './outer-neighbours.ts'

describe('what ovs-vswitchd prints', () => {
  test('neighbours, of both families', () => {
    const text = [
      'IP                                            MAC                 Bridge',
      '==========================================================================',
      '198.18.77.12                                  4a:6e:11:af:22:40   br-phy',
      'fd00:18:77::c                                 4a:6e:11:af:22:41   br-phy',
      '',
    ].join('\n')
    expect([...neighboursIn(text)]).toEqual(['198.18.77.12', 'fd00:18:77::c'])
  })

  test.each([
    ['src 198.18.77.11\ngateway 198.18.77.1\ndev br-phy\n', '198.18.77.1'],
    ['src 198.18.77.11\ngateway 0.0.0.0\ndev br-phy\n', undefined],
    ['src fd00::1\ngateway ::\ndev br-phy\n', undefined],
    ['', undefined],
  ])('the gateway in %j', (text, gateway) => expect(gatewayIn(text)).toBe(gateway))
})
