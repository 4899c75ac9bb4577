/**
 * Conjunctions as ovs-fields(7) and ovs-actions(7) define them, and where those are silent, as Open vSwitch's classifier
 * has them: flows of one table, packets, and the flow that each of them takes. The simulator and a switch run it.
 */
import type { Flow, Match } from '../../src/flow/flow.ts'

/** A row of a table: its cookie is its name. */
export interface Row {
  readonly name: number
  readonly priority: number
  readonly match: Match
  /** `[id, clause, of]`; absent: a flow of its own. */
  readonly conjunctions?: readonly (readonly [id: number, clause: number, of: number])[]
}

export interface ConjunctionCase {
  readonly name: string
  readonly rows: readonly Row[]
  /** A packet's last bytes of source and destination address, its TCP port, and the row it takes. */
  readonly packets: readonly (readonly [source: number, destination: number, port: number, row: number | undefined])[]
}

const IP = { eth_type: 0x0800 } as const
const TCP = { ...IP, ip_proto: 6 } as const
const from = (host: number | string): Match => ({ ...IP, ipv4_src: `10.0.0.${host}` })
const to = (host: number | string): Match => ({ ...IP, ipv4_dst: `10.0.0.${host}` })
const port = (number: number): Match => ({ ...TCP, tcp_dst: number })
const part = (priority: number, match: Match, ...conjunctions: NonNullable<Row['conjunctions']>): Row => ({
  name: 1000,
  priority,
  match,
  conjunctions,
})
const flow = (name: number, priority: number, match: Match): Row => ({ name, priority, match })

/** `1` from 1 or 2, to 5 or 6. */
const PAIR: readonly Row[] = [
  part(10, from(1), [1, 1, 2]),
  part(10, from(2), [1, 1, 2]),
  part(10, to(5), [1, 2, 2]),
  part(10, to(6), [1, 2, 2]),
]

export const CONJUNCTION_CASES: readonly ConjunctionCase[] = [
  {
    name: 'every pair of the two dimensions, and nothing else',
    rows: [...PAIR, flow(7, 10, { conj_id: 1 }), flow(9, 0, {})],
    packets: [
      [1, 5, 80, 7],
      [1, 6, 80, 7],
      [2, 5, 80, 7],
      [2, 6, 80, 7],
      [1, 7, 80, 9],
      [3, 5, 80, 9],
      [1, 2, 80, 9],
    ],
  },
  {
    name: 'what is left of a conjunction that is not complete matches nothing',
    rows: [...PAIR, flow(7, 10, { conj_id: 1 })],
    packets: [
      [1, 7, 80, undefined],
      [2, 5, 80, 7],
    ],
  },
  {
    name: 'the flow with the id may be of any priority',
    rows: [...PAIR, flow(7, 1, { conj_id: 1 }), flow(9, 0, {})],
    packets: [[1, 5, 80, 7]],
  },
  {
    name: 'the search for the id takes the best flow there is, whether it names the id or not',
    rows: [...PAIR, flow(7, 3, { conj_id: 1 }), flow(8, 5, port(80)), flow(9, 0, {})],
    packets: [
      [1, 5, 80, 8],
      [2, 5, 81, 7],
      [1, 7, 80, 8],
    ],
  },
  {
    name: 'the flow with the id may ask for more',
    rows: [...PAIR, flow(7, 10, { ...port(80), conj_id: 1 }), flow(8, 10, { ...port(81), conj_id: 1 }), flow(9, 0, {})],
    packets: [
      [1, 5, 80, 7],
      [1, 5, 81, 8],
      [1, 5, 82, 9],
    ],
  },
  {
    name: 'where no flow has the id, it is as if the conjunction were not there',
    rows: [...PAIR, flow(9, 5, to(7))],
    packets: [
      [1, 5, 80, undefined],
      [1, 7, 80, 9],
    ],
  },
  {
    name: 'a flow of a higher priority wins, and so does one of the same',
    rows: [...PAIR, flow(7, 10, { conj_id: 1 }), flow(8, 11, port(81)), flow(6, 10, port(82)), flow(5, 9, port(83))],
    packets: [
      [1, 5, 81, 8],
      [1, 5, 82, 6],
      [1, 5, 83, 7],
      [1, 7, 83, 5],
    ],
  },
  {
    name: 'one flow in many conjunctions',
    rows: [
      part(10, from(1), [1, 1, 2], [2, 1, 2]),
      part(10, from(2), [2, 1, 2]),
      part(10, to(5), [1, 2, 2]),
      part(10, to(6), [2, 2, 2]),
      flow(7, 10, { conj_id: 1 }),
      flow(8, 10, { conj_id: 2 }),
    ],
    packets: [
      [1, 5, 80, 7],
      [1, 6, 80, 8],
      [2, 6, 80, 8],
      [2, 5, 80, undefined],
    ],
  },
  {
    name: 'three dimensions, numbered in any order',
    rows: [
      part(10, from(1), [4, 3, 3]),
      part(10, to(5), [4, 1, 3]),
      part(10, port(80), [4, 2, 3]),
      part(10, port(81), [4, 2, 3]),
      flow(7, 10, { conj_id: 4 }),
      flow(9, 0, {}),
    ],
    packets: [
      [1, 5, 80, 7],
      [1, 5, 81, 7],
      [1, 5, 82, 9],
      [1, 6, 80, 9],
      [2, 5, 80, 9],
    ],
  },
  {
    name: 'a dimension may look at different fields, and at parts of one',
    rows: [
      part(10, from('0/30'), [1, 1, 2]),
      part(10, port(99), [1, 1, 2]),
      part(10, to('8/29'), [1, 2, 2]),
      flow(7, 10, { conj_id: 1 }),
      flow(9, 0, {}),
    ],
    packets: [
      [3, 8, 80, 7],
      [3, 15, 80, 7],
      [4, 15, 99, 7],
      [4, 15, 80, 9],
      [3, 16, 99, 9],
    ],
  },
  {
    name: 'the same dimension twice is no conjunction',
    rows: [part(10, from(1), [1, 1, 2]), part(10, port(80), [1, 1, 2]), flow(7, 10, { conj_id: 1 }), flow(9, 0, {})],
    packets: [[1, 5, 80, 9]],
  },
  {
    name: 'one flow alone completes nothing, though it stands for every dimension',
    rows: [part(10, from(1), [1, 1, 2], [1, 2, 2]), flow(7, 10, { conj_id: 1 }), flow(9, 0, {})],
    packets: [[1, 5, 80, 9]],
  },
  {
    name: 'parts of different priorities do not meet',
    rows: [part(10, from(1), [1, 1, 2]), part(11, to(5), [1, 2, 2]), flow(7, 10, { conj_id: 1 }), flow(9, 0, {})],
    packets: [[1, 5, 80, 9]],
  },
  {
    name: 'the highest priority that is complete and has a flow wins',
    rows: [
      part(20, from('0/24'), [1, 1, 2]),
      part(20, to('5'), [1, 2, 2]),
      part(15, from('0/25'), [2, 1, 2]),
      part(15, to('0/24'), [2, 2, 2]),
      part(10, from('0/26'), [3, 1, 2]),
      part(10, to('0/25'), [3, 2, 2]),
      flow(1, 10, { conj_id: 1 }),
      flow(3, 10, { conj_id: 3 }),
    ],
    packets: [
      [1, 5, 80, 1],
      [1, 6, 80, 3],
      [100, 6, 80, undefined],
    ],
  },
  {
    name: 'below a part there is another flow of the same match: a part of its own, or a whole',
    rows: [
      part(20, from(1), [1, 1, 2]),
      part(15, from(1), [2, 1, 2]),
      flow(8, 10, from(1)),
      part(20, to(5), [1, 2, 2]),
      part(15, to(6), [2, 2, 2]),
      flow(1, 20, { conj_id: 1 }),
      flow(2, 20, { conj_id: 2 }),
      flow(9, 0, {}),
    ],
    packets: [
      [1, 5, 80, 1],
      [1, 6, 80, 2],
      [1, 7, 80, 8],
      [2, 7, 80, 9],
    ],
  },
  {
    name: 'the search for the id does not look below a part',
    rows: [...PAIR, flow(8, 5, from(1)), flow(7, 3, { conj_id: 1 }), flow(6, 2, to(5)), flow(9, 0, {})],
    packets: [
      [1, 5, 80, 7],
      [1, 7, 80, 8],
      [3, 5, 80, 6],
    ],
  },
  {
    name: 'complete twice: the one that leads to a flow counts',
    rows: [
      part(10, from(1), [2, 1, 2], [1, 1, 2]),
      part(10, to(5), [1, 2, 2]),
      part(10, port(80), [2, 2, 2]),
      flow(8, 10, { conj_id: 2 }),
    ],
    packets: [
      [1, 5, 80, 8],
      [1, 5, 81, undefined],
    ],
  },
]

/** A case's flows, in this table. */
export function flowsOf({ rows }: Pick<ConjunctionCase, 'rows'>, table: number): readonly Flow[] {
  return rows.map(({ name, priority, match, conjunctions = [] }) => ({
    table,
    priority,
    cookie: BigInt(name),
    match,
    actions: conjunctions.map(([id, clause, of]) => ({ op: 'conjunction', id, clause, of })),
  }))
}
