/**
 * Packets that tell that everything before them has gone through both switches. They pass by flows of their own, above all
 * stages: what policies say does not count.
 * @module
 */
import type { Flow } from '../../src/flow/flow.ts'
import type { Ip } from '../../src/network/model/address.ts'
import { GATEWAY_PORT, TUNNEL_PORT } from '../../src/network/pipeline/stages.ts'

/** IEEE 802's local experimental ethertype 2; the first is the product's probe. */
const ETHERTYPE = 0x88b6
const BACK = '02:00:00:00:00:01'
const ACROSS = '02:00:00:00:00:02'
const PRIORITY = 65_535

/** Flows of a node: markers come back where they were sent, or out of the other node's gateway port. */
export function markerFlows(otherEnd: Ip): readonly Flow[] {
  const flow = (match: Flow['match'], actions: Flow['actions']): Flow => ({
    table: 0,
    priority: PRIORITY,
    cookie: 0n,
    match: { eth_type: ETHERTYPE, ...match },
    actions,
  })
  return [
    flow({ eth_dst: BACK }, [{ op: 'output', port: 'in_port' }]),
    flow({ eth_dst: ACROSS, in_port: TUNNEL_PORT }, [{ op: 'output', port: GATEWAY_PORT }]),
    {
      ...flow({ eth_dst: ACROSS }, [
        { op: 'set', field: 'tun_id', value: 0n },
        { op: 'set', field: 'tun_dst', value: otherEnd },
        { op: 'output', port: TUNNEL_PORT },
      ]),
      priority: PRIORITY - 1,
    },
  ]
}

/** A marker with a number. */
export function marker(way: 'back' | 'across', number: number): Uint8Array {
  const frame = new Uint8Array(60)
  const mac = (way === 'back' ? BACK : ACROSS).split(':').map((part) => Number.parseInt(part, 16))
  frame.set(mac, 0)
  frame.set([0x02, 0, 0, 0, 0, 0x03, ETHERTYPE >> 8, ETHERTYPE & 0xff], 6)
  new DataView(frame.buffer).setUint32(14, number)
  return frame
}

/** The number of a marker; undefined for any other frame. */
export function markerNumber(frame: Uint8Array): number | undefined {
  if (frame.length < 18 || frame[12] !== ETHERTYPE >> 8 || frame[13] !== (ETHERTYPE & 0xff)) return undefined
  return new DataView(frame.buffer, frame.byteOffset).getUint32(14)
}
