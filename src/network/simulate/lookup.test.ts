import { describe, expect, test } from 'bun:test'
import { CONJUNCTION_CASES, flowsOf } from '../../../test/tables/conjunction-cases.ts'
import { compileTable, lookup } from './lookup.ts'
import { packetOf } from './packet.ts'

describe('the simulator runs the conjunctions’ case table, whatever the order of its flows', () => {
  for (const one of CONJUNCTION_CASES) {
    test(one.name, () => {
      for (const flows of [flowsOf(one, 0), [...flowsOf(one, 0)].reverse()]) {
        const table = compileTable(flows)
        const taken = one.packets.map(([source, destination, port]) => {
          const ends = { ipv4_src: `10.0.0.${source}`, ipv4_dst: `10.0.0.${destination}`, tcp_dst: port }
          const flow = lookup(table, packetOf({ eth_type: 0x0800, ip_proto: 6, ...ends }))
          return [source, destination, port, flow === undefined ? undefined : Number(flow.cookie)]
        })
        expect(taken).toEqual(one.packets.map((packet) => [...packet]))
      }
    })
  }
})
