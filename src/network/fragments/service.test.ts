import { expect, test } from 'bun:test'
import { SAMPLE_SERVICES, SAMPLE_SLICES, samplePlanner } from '../../../test/tables/sample-node.ts'
import { ip } from '../model/address.ts'

/** Addresses that the switch of the sample would lead `shop/web` to, were an endpoint there. */
function leadsTo(address: string): boolean {
  const planner = samplePlanner()
  for (const slice of SAMPLE_SLICES) planner.removeEndpointSlice(`${slice.namespace}/${slice.name}`)
  const endpoint = { address: ip(address), ready: true, serving: true, terminating: false }
  planner.putEndpointSlice({
    namespace: 'shop',
    name: 'by-hand',
    service: 'web',
    ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
    endpoints: [endpoint],
  })
  return planner.groups().length > 0
}

test.each([
  ['the service itself', '172.30.0.10'],
  ['another service', '172.30.0.11'],
  ['the service itself, IPv6', 'fd00:172:30::10'],
  ['the node-port address', '169.254.77.3'],
  ['the node-port address, IPv6', 'fd77:6566:7400::3'],
  ['the address of those who call themselves', 'fd77:6566:7400::2'],
  ['loopback', '127.0.0.1'],
  ['loopback, IPv6', '::1'],
  ['nobody', '0.0.0.0'],
  ['multicast', '224.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['link-local', '169.254.169.254'],
  ['link-local, IPv6', 'fe80::1'],
])('an endpoint slice cannot lead a service to %s', (_, address) => {
  expect(leadsTo(address)).toBe(false)
})

test.each(['10.129.0.7', 'fd00:10:128:2::7', '192.0.2.11', '203.0.113.9', '2001:db8::9'])(
  'it can lead one to %s',
  (address) => {
    expect(leadsTo(address)).toBe(true)
  },
)

test('a service of both families has flows for both, and a group per port, family and policy', () => {
  const planner = samplePlanner()
  const [web] = SAMPLE_SERVICES
  const flows = planner.flows().filter(({ match }) => match.ct_tp_dst !== undefined && match.ct_nw_proto !== undefined)
  // Every port of `web`: its address, the node-port address, any node's address. `empty` has one port without node port.
  expect(flows.length).toBe((web?.ports.length ?? 0) * 2 * 3 + 1)
  expect(planner.groups().length).toBe((web?.ports.length ?? 0) * 2 * 2)
})
