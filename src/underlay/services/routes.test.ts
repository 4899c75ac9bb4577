import { afterAll, beforeAll, expect, test } from 'bun:test'
import {
  closeFd,
  linkAdd,
  linkFind,
  linkSet,
  netnsAdd,
  netnsDel,
  openRtnl,
  type RtnlSocket,
  routeList,
  routeReplace,
} from '../../linux/index.ts'
import { cidr, ip, parseMac } from '../../network/model/address.ts'
import { applyRoutes, TABLE, withdrawRoutes } from './routes.ts'

const NAME = `wefttest-routes-${process.pid}`
const record = {
  subnet: cidr('192.168.1.0/29'),
  gateway: { address: ip('192.168.1.1'), mac: parseMac('fa:16:3e:00:00:fe') ?? (undefined as never) },
}
let nsFd: number
let rtnl: RtnlSocket
let link: number

beforeAll(() => {
  nsFd = netnsAdd(NAME)
  rtnl = openRtnl({ nsFd })
  linkAdd(rtnl, { kind: 'bridge', name: 'breth1' })
  // With an address of its own the namespace has the tables that gateways are looked up in.
  linkSet(rtnl, 'lo', { up: true })
  linkSet(rtnl, 'breth1', { up: true })
  link = linkFind(rtnl, 'breth1')?.index ?? 0
})
afterAll(() => {
  rtnl?.[Symbol.dispose]()
  closeFd(nsFd)
  netnsDel(NAME)
})

const destinations = (): readonly string[] =>
  routeList(rtnl, { family: 4, table: TABLE })
    .map(({ destination }) => destination)
    .toSorted()

test('stale routes: a range that is the cluster’s no more has none, and those of others stay', () => {
  routeReplace(rtnl, { destination: '198.51.100.0/24', link, table: TABLE })
  applyRoutes(rtnl, link, { ...record, cluster: [cidr('192.168.0.0/16'), cidr('10.8.0.0/16')] })
  applyRoutes(rtnl, link, { ...record, cluster: [cidr('10.9.0.0/16')] })
  expect(destinations()).toEqual(['10.9.0.0/16', '192.168.1.0/29', '192.168.1.1/32', '198.51.100.0/24'])
  withdrawRoutes(rtnl)
  expect(destinations()).toEqual(['198.51.100.0/24'])
})
