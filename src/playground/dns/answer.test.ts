import { describe, expect, test } from 'bun:test'
import { decodeMessage } from '../../dns/decode.ts'
import { encodeMessage } from '../../dns/encode.ts'
import { type Message, RCODES, TYPES } from '../../dns/message.ts'
import { answer } from './answer.ts'
import { endpoint, service, slice } from './testing/objects.ts'
import { ClusterZone } from './zone.ts'

const zone = new ClusterZone('cluster.local.')
const web = service('shop', 'web', {
  clusterIP: '10.96.0.7',
  clusterIPs: ['10.96.0.7', 'fd00:96::7'],
  ports: [
    { name: 'http', port: 80 },
    { name: 'dns', protocol: 'UDP', port: 53 },
  ],
})
const db = service('shop', 'db', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] })
const empty = service('shop', 'empty', { clusterIP: 'None' })
const outside = service('shop', 'outside', { type: 'ExternalName', externalName: 'Example.ORG.' })
const alias = service('shop', 'alias', { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' })
const loop = service('shop', 'loop', { type: 'ExternalName', externalName: 'loop.shop.svc.cluster.local' })
const wrong = service('shop', 'wrong', { type: 'ExternalName', externalName: `${'a'.repeat(64)}.org` })
for (const one of [web, db, empty, outside, alias, loop, wrong]) zone.setService(one)
const dbSlice = slice(
  db,
  'db-1',
  [endpoint('10.1.0.1', { hostname: 'db-0' }), endpoint('10.1.0.2'), endpoint('10.1.0.3', { ready: false })],
  [{ name: 'sql', protocol: 'TCP', port: 5432 }],
)
zone.setSlice(dbSlice)
zone.setSlice(slice(db, 'db-6', [endpoint('fd00:1::')]))

/** The answer as `rcode` and lines of data, sorted; `SOA` stands for the authority. */
function ask(name: string, type: keyof typeof TYPES): readonly string[] {
  const reply = answer(zone, query(name, TYPES[type]))
  const rcode = Object.entries(RCODES).find(([, value]) => value === reply.rcode)?.[0] ?? ''
  const lines = reply.answers.map(({ data }) => Object.values(data).join(' ')).sort()
  return [rcode, ...lines, ...reply.authorities.map(({ data, ttl }) => `${data.type} ${ttl}`)]
}

function query(name: string, type: number): Message {
  const header = { id: 0, isResponse: false, opcode: 0, authoritative: false, truncated: false, rcode: 0 }
  const flags = { recursionDesired: true, recursionAvailable: false }
  const wire = Uint8Array.from(`${name}.`.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]))
  const questions = [{ name: name.toLowerCase(), type, class: 1, wire }]
  const message = { ...header, ...flags, questions, answers: [], authorities: [], additionals: [] }
  const read = decodeMessage(encodeMessage(message))
  if (read === undefined) throw new Error('the query cannot be read')
  return read
}

const NODATA = ['NOERROR', 'SOA 5']
const NXDOMAIN = ['NXDOMAIN', 'SOA 5']

describe('the specification', () => {
  const cases: readonly (readonly [string, keyof typeof TYPES, readonly string[]])[] = [
    ['dns-version.cluster.local', 'TXT', ['NOERROR', 'TXT 1.1.0']],
    ['web.shop.svc.cluster.local', 'A', ['NOERROR', 'A 10.96.0.7']],
    ['WEB.Shop.svc.cluster.LOCAL', 'AAAA', ['NOERROR', 'AAAA fd00:96::7']],
    ['_http._tcp.web.shop.svc.cluster.local', 'SRV', ['NOERROR', 'SRV 0 100 80 web.shop.svc.cluster.local']],
    ['_dns._udp.web.shop.svc.cluster.local', 'SRV', ['NOERROR', 'SRV 0 100 53 web.shop.svc.cluster.local']],
    ['_dns._tcp.web.shop.svc.cluster.local', 'SRV', NXDOMAIN],
    ['7.0.96.10.in-addr.arpa', 'PTR', ['NOERROR', 'PTR web.shop.svc.cluster.local']],
    [`7.${'0.'.repeat(23)}6.9.0.0.0.0.d.f.ip6.arpa`, 'PTR', ['NOERROR', 'PTR web.shop.svc.cluster.local']],
    [`7.${'0.'.repeat(19)}6.9.0.0.0.0.0.0.0.0.d.f.ip6.arpa`, 'PTR', NXDOMAIN],
    ['db.shop.svc.cluster.local', 'A', ['NOERROR', 'A 10.1.0.1', 'A 10.1.0.2']],
    ['db.shop.svc.cluster.local', 'AAAA', ['NOERROR', 'AAAA fd00:1::']],
    ['db-0.db.shop.svc.cluster.local', 'A', ['NOERROR', 'A 10.1.0.1']],
    ['10-1-0-2.db.shop.svc.cluster.local', 'A', ['NOERROR', 'A 10.1.0.2']],
    ['fd00-1--0.db.shop.svc.cluster.local', 'AAAA', ['NOERROR', 'AAAA fd00:1::']],
    ['10-1-0-3.db.shop.svc.cluster.local', 'A', NXDOMAIN],
    ['2.0.1.10.in-addr.arpa', 'PTR', ['NOERROR', 'PTR 10-1-0-2.db.shop.svc.cluster.local']],
    ['1.0.1.10.in-addr.arpa', 'PTR', ['NOERROR', 'PTR db-0.db.shop.svc.cluster.local']],
    [
      '_sql._tcp.db.shop.svc.cluster.local',
      'SRV',
      ['NOERROR', 'SRV 0 100 5432 10-1-0-2.db.shop.svc.cluster.local', 'SRV 0 100 5432 db-0.db.shop.svc.cluster.local'],
    ],
    ['empty.shop.svc.cluster.local', 'A', NODATA],
    ['outside.shop.svc.cluster.local', 'A', ['NOERROR', 'CNAME example.org']],
    ['outside.shop.svc.cluster.local', 'CNAME', ['NOERROR', 'CNAME example.org']],
    ['alias.shop.svc.cluster.local', 'A', ['NOERROR', 'A 10.96.0.7', 'CNAME web.shop.svc.cluster.local']],
    ['wrong.shop.svc.cluster.local', 'A', NODATA],
    ['10-1-2-3.shop.pod.cluster.local', 'A', ['NOERROR', 'A 10.1.2.3']],
    ['10-1-2-3.shop.pod.cluster.local', 'AAAA', NODATA],
    ['fd00--5.shop.pod.cluster.local', 'AAAA', ['NOERROR', 'AAAA fd00::5']],
    ['10-1-2-300.shop.pod.cluster.local', 'A', NXDOMAIN],
    ['a.b.shop.pod.cluster.local', 'A', NXDOMAIN],
    ['nobody.shop.svc.cluster.local', 'A', NXDOMAIN],
    ['web.nowhere.svc.cluster.local', 'A', NXDOMAIN],
    ['web.shop.svc.cluster.local', 'TXT', NODATA],
    ['_tcp.web.shop.svc.cluster.local', 'A', NODATA],
    ['shop.svc.cluster.local', 'A', NODATA],
    ['nowhere.svc.cluster.local', 'A', NXDOMAIN],
    ['svc.cluster.local', 'A', NODATA],
    ['shop.pod.cluster.local', 'A', NODATA],
    ['cluster.local', 'A', NODATA],
    ['cluster.local', 'NS', ['NOERROR', 'NS ns.dns.cluster.local']],
    ['other.cluster.local', 'A', NXDOMAIN],
    ['9.9.9.9.in-addr.arpa', 'PTR', NXDOMAIN],
    ['example.org', 'A', ['REFUSED']],
    ['notcluster.local', 'A', ['REFUSED']],
    ['local', 'A', ['REFUSED']],
  ]
  test.each(cases)('%s %s', (name, type, expected) => {
    expect(ask(name, type)).toEqual(expected)
  })
})

test('a name that is another word for itself comes to an end', () => {
  expect(ask('loop.shop.svc.cluster.local', 'A')[0]).toBe('NOERROR')
})

test('targets of SRV records come with their addresses', () => {
  const reply = answer(zone, query('_http._tcp.web.shop.svc.cluster.local', TYPES.SRV))
  expect(reply.additionals.map(({ data }) => data)).toEqual([
    { type: 'A', address: '10.96.0.7' },
    { type: 'AAAA', address: 'fd00:96::7' },
  ])
})

test('what is no question about the internet is refused by its name', () => {
  const good = query('web.shop.svc.cluster.local', TYPES.A)
  const [question] = good.questions
  if (question === undefined) throw new Error('no question')
  const rcode = (change: Partial<Message>): number => answer(zone, { ...good, ...change }).rcode
  expect(rcode({ opcode: 5 })).toBe(RCODES.NOTIMP)
  expect(rcode({ questions: [] })).toBe(RCODES.FORMERR)
  expect(rcode({ questions: [question, question] })).toBe(RCODES.FORMERR)
  expect(rcode({ questions: [{ ...question, class: 3 }] })).toBe(RCODES.REFUSED)
  expect(rcode({ questions: [{ ...question, type: 252 }] })).toBe(RCODES.REFUSED)
  expect(rcode({ edns: { size: 1232, version: 1 } })).toBe(RCODES.BADVERS)
})

test('what goes away takes its names with it', () => {
  const fresh = new ClusterZone('cluster.local')
  fresh.setSlice(dbSlice)
  expect(fresh.find('db.shop.svc.cluster.local')).toBeUndefined()
  fresh.setService(db)
  expect(fresh.find('db.shop.svc.cluster.local')).toHaveLength(2)
  fresh.removeSlice(dbSlice)
  expect(fresh.find('db.shop.svc.cluster.local')).toEqual([])
  expect(fresh.find('db-0.db.shop.svc.cluster.local')).toBeUndefined()
  fresh.removeService(db)
  expect(fresh.find('svc.cluster.local')).toBeUndefined()
  expect(fresh.find('arpa')).toBeUndefined()
})
