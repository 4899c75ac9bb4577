import { describe, expect, test } from 'bun:test'
import { lookFor } from '../../text/look.ts'
import { sampleView } from '../testing/sample-facts.ts'
import { printTraced } from './print.ts'
import { type ServiceRequest, traceAll } from './service.ts'
import { isReachable, serviceSentence } from './service-sentence.ts'

const view = sampleView()
const REQUEST = { protocol: 'tcp', port: 80, size: 60 } as const

interface Case {
  readonly name: string
  readonly request: Pick<ServiceRequest, 'from' | 'to'> & Partial<ServiceRequest>
  /** The endpoints, and the nodes that packets to them pass. */
  readonly ways: readonly string[]
  readonly says: RegExp
  readonly remedy?: string
}

const EVERYWHERE = ['10.128.0.2:8080 node1', '10.128.0.3:8080 node1', '10.129.0.2:8080 node1 node2']
const V6 = ['[fd00:10:128:1::2]:8080 node1', '[fd00:10:128:1::3]:8080 node1', '[fd00:10:128:2::2]:8080 node1 node2']

const CASES: readonly Case[] = [
  {
    name: 'by its name, of a pod that is an endpoint itself',
    request: { from: 'shop/web', to: 'service/web' },
    ways: EVERYWHERE,
    says: /^shop\/web reaches service shop\/web by tcp port 80 over IPv4, whichever of its 3 endpoints answers\.$/,
  },
  {
    name: 'by its namespace, name and port’s name, over IPv6',
    request: { from: 'default/dns', to: 'svc/shop/web:http', family: 6 },
    ways: V6,
    says: /reaches service shop\/web by tcp port 80 over IPv6/,
  },
  {
    name: 'by its address, from the node',
    request: { from: 'node1', to: 'fd00:172:30::10' },
    ways: V6,
    says: /^node1 reaches service shop\/web/,
  },
  {
    name: 'the one port of a protocol, for whoever names none',
    request: { from: 'shop/api', to: 'service/web', protocol: 'udp' },
    ways: ['10.128.0.2:5514 node1', '10.128.0.3:5514 node1', '10.129.0.2:5514 node1 node2'],
    says: /by udp port 514 over IPv4/,
  },
  {
    name: 'another tenant’s is judged where the endpoint is',
    request: { from: 'bank/vault', to: 'service/web' },
    ways: EVERYWHERE,
    says: /^bank\/vault does not reach .* any of its 3 endpoints; of 10\.128\.0\.2:8080 \(shop\/web on node1\): node1 drops it/,
    remedy: 'To let them talk: weft tenant join bank --to shop',
  },
  {
    name: 'one endpoint, by its pod',
    request: { from: 'bank/vault', to: '172.30.0.10', backend: 'cart' },
    ways: ['10.129.0.2:8080 node1 node2'],
    says: /^service shop\/web: bank\/vault does not reach shop\/cart by tcp port 80 over IPv4: node2 drops it/,
    remedy: 'To let them talk: weft tenant join bank --to shop',
  },
  {
    name: 'one endpoint, by its address: the sender itself',
    request: { from: 'shop/web', to: 'service/web', backend: '10.128.0.2:8080' },
    ways: ['10.128.0.2:8080 node1'],
    says: /^service shop\/web: shop\/web reaches shop\/web by/,
  },
  {
    name: 'without endpoints',
    request: { from: 'shop/web', to: 'service/empty' },
    ways: ['none node1'],
    says: /^shop\/web does not reach service shop\/empty .*\(no-service-endpoint\)\.$/,
    remedy: 'See which pods are ready: kubectl get endpointslices -A',
  },
  {
    name: 'a port that it does not have',
    request: { from: 'shop/web', to: '172.30.0.10', port: 81 },
    ways: ['none node1'],
    says: /\(no-such-service\)\.$/,
    remedy: 'Compare address, port and protocol with the service: kubectl get services -A',
  },
]

describe('a trace to a service', () => {
  for (const { name, request, ways: expected, says, remedy } of CASES) {
    test(name, () => {
      const traced = traceAll(view, { ...REQUEST, ...request })
      const ways = traced.ways.map(({ backend, trace: { there } }) => {
        const host = backend?.address.includes(':') ? `[${backend.address}]` : backend?.address
        const endpoint = backend === undefined ? 'none' : `${host}:${backend.port}`
        return [endpoint, ...there.hops.map(({ facts }) => facts.status.node)].join(' ')
      })
      expect(ways).toEqual([...expected])
      if (traced.service === undefined) throw new Error('no service')
      const sentence = serviceSentence(traced.service, traced.ways)
      expect(sentence.says).toMatch(says)
      expect(sentence.remedy).toBe(remedy as string)
      expect(isReachable(traced)).toBe(remedy === undefined)
      for (const width of [60, 100]) {
        const lines = printTraced(traced, [], lookFor({ isTTY: false, columns: width }, false))
        expect(lines.filter((line) => line.includes('undefined'))).toEqual([])
      }
    })
  }
})

const ERRORS: readonly (readonly [string, Partial<ServiceRequest>, string])[] = [
  ['no such service', { to: 'service/nobody' }, 'INSIGHT_NAME_UNKNOWN'],
  ['no such port', { to: 'service/web:https' }, 'INSIGHT_NAME_UNKNOWN'],
  ['no address of the family', { to: 'service/empty', family: 6 }, 'INSIGHT_NO_ADDRESS'],
  ['no such endpoint', { to: 'service/web', backend: 'vault' }, 'INSIGHT_NAME_UNKNOWN'],
  ['no such sender', { from: 'nobody', to: 'service/web' }, 'INSIGHT_NAME_UNKNOWN'],
  ['two families', { from: '10.128.0.2', to: 'fd00:172:30::10' }, 'INSIGHT_USAGE'],
]

for (const [name, request, code] of ERRORS) {
  test(`refused: ${name}`, () => {
    expect(() => traceAll(view, { ...REQUEST, from: 'shop/web', to: '', ...request })).toThrow(
      expect.objectContaining({ code }),
    )
  })
}

test('what is for no service is traced as ever', () => {
  const { service, ways } = traceAll(view, { ...REQUEST, from: 'shop/web', to: 'shop/cart' })
  expect([service, ways.length, ways[0]?.trace.reachable]).toEqual([undefined, 1, true])
})
