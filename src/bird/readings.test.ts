import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { readBfdSessions, readProtocols, secondsSince } from './protocols.ts'
import { type Reply, ReplyReader } from './reply.ts'
import { readRoutes } from './routes.ts'
import { readStatus } from './status.ts'

/** What BIRD 2.0.12 answered. */
function said(text: string): Reply {
  const [reply] = new ReplyReader().read(new TextEncoder().encode(text))
  if (reply === undefined) throw new Error('no whole answer')
  return reply
}

test('status', () => {
  const text = `1000-BIRD 2.0.12
1011-Router ID is 1.1.1.1
 Hostname is vm
 Current server time is 2026-11-21 20:11:16
 Last reboot on 2026-11-21 20:11:09
 Last reconfiguration on 2026-11-21 20:11:15
0013 Daemon is up and running
`
  expect(readStatus(said(text))).toEqual({
    version: '2.0.12',
    routerId: '1.1.1.1',
    now: '2026-11-21 20:11:16',
    startedAt: '2026-11-21 20:11:09',
    configuredAt: '2026-11-21 20:11:15',
    isRecovering: false,
    state: 'Daemon is up and running',
  })
})

test('protocols', () => {
  const text = `2002-Name       Proto      Table      State  Since         Info
1002-device1    Device     ---        up     2026-11-21 20:11:09  
1006-
1002-node4_10_0_0_2 BGP        ---        up     2026-11-21 20:11:12  Established   
1006-  Description:    n2
   BGP state:          Established
     Neighbor address: 10.0.0.2
     Neighbor AS:      64512
     Local AS:         64512
     Neighbor ID:      10.0.0.2
     Hold timer:       82.374/90
   Channel ipv4
     State:          UP
     Table:          master4
     Routes:         3 imported, 1 exported, 2 preferred
     Route change stats:     received   rejected   filtered    ignored   accepted
       Import updates:              3          0          0          0          3
 
1002-peer4_x    BGP        ---        start  2026-11-21 20:11:09  Active        Socket: Connection refused
1006-  BGP state:          Active
     Neighbor address: 127.0.0.2
     Neighbor AS:      2
     Local AS:         1
     Last error:       Socket: Connection refused
   Channel ipv4
     State:          DOWN
     Table:          master4
 
0000 
`
  expect(readProtocols(said(text))).toEqual([
    { name: 'device1', kind: 'Device', isUp: true, state: 'up', since: '2026-11-21 20:11:09', info: '', channels: [] },
    {
      name: 'node4_10_0_0_2',
      kind: 'BGP',
      isUp: true,
      state: 'up',
      since: '2026-11-21 20:11:12',
      info: 'Established',
      bgp: { state: 'Established', neighbour: '10.0.0.2', neighbourAs: 64_512, localAs: 64_512 },
      channels: [{ name: 'ipv4', isUp: true, routes: { imported: 3, exported: 1, preferred: 2 } }],
    },
    {
      name: 'peer4_x',
      kind: 'BGP',
      isUp: false,
      state: 'start',
      since: '2026-11-21 20:11:09',
      info: 'Active        Socket: Connection refused',
      bgp: {
        state: 'Active',
        neighbour: '127.0.0.2',
        neighbourAs: 2,
        localAs: 1,
        lastError: 'Socket: Connection refused',
      },
      channels: [{ name: 'ipv4', isUp: false }],
    },
  ])
})

test('sessions of BFD', () => {
  const text = `1020-bfd1:
 IP address                Interface  State      Since         Interval  Timeout
 127.0.0.2                 ---        Down       2026-11-21 20:11:09    1.000    0.000
 fd00::2                   eth0       Up         2026-11-21 20:11:10    0.300    0.900
0000 
`
  expect(readBfdSessions(said(text))).toEqual([
    { neighbour: '127.0.0.2', isUp: false, since: '2026-11-21 20:11:09' },
    { neighbour: 'fd00::2', isUp: true, since: '2026-11-21 20:11:10', interface: 'eth0' },
  ])
})

test('routes', () => {
  const text = `1007-Table master4:
 10.244.2.0/24        unicast [node4_10_0_0_2 20:11:09.329] * (100) [i]
 	via 10.0.0.2 on eth0
                      unicast [node4_10_0_0_3 20:11:09.329 from 10.0.0.3] (100) [i]
 	via 10.0.0.3 on eth0
 10.1.0.0/16          blackhole [own4 20:11:09.329] * (200)
 192.0.2.0/24         unicast [direct1 20:11:09.329] * (240)
 	dev eth1
0000 
`
  expect(readRoutes(said(text))).toEqual([
    {
      network: '10.244.2.0/24',
      protocol: 'node4_10_0_0_2',
      isBest: true,
      kind: 'unicast',
      via: [{ address: '10.0.0.2', interface: 'eth0' }],
    },
    {
      network: '10.244.2.0/24',
      protocol: 'node4_10_0_0_3',
      isBest: false,
      kind: 'unicast',
      via: [{ address: '10.0.0.3', interface: 'eth0' }],
    },
    { network: '10.1.0.0/16', protocol: 'own4', isBest: true, kind: 'blackhole', via: [] },
    { network: '192.0.2.0/24', protocol: 'direct1', isBest: true, kind: 'unicast', via: [{ interface: 'eth1' }] },
  ])
})

test('how long ago', () => {
  expect(secondsSince('2026-11-21 20:11:09', Date.parse('2026-11-21T20:12:09'))).toBe(60)
  expect(secondsSince('never', 0)).toBeUndefined()
})

test('whatever comes is read or left', () => {
  const line = fc.record({
    code: fc.constantFrom(1002, 1006, 1007, 1011, 1020, 13),
    text: fc.oneof(
      fc.string(),
      fc.constantFrom('  Channel ipv4', 'x BGP t up', '10.0.0.0/8 unicast [x 1] * (1)', '\tvia'),
    ),
  })
  fc.assert(
    fc.property(fc.array(line), line, (lines, last) => {
      const reply = { lines: [...lines, last], last }
      for (const read of [readStatus, readProtocols, readBfdSessions, readRoutes]) expect(read(reply)).toBeDefined()
    }),
  )
})
