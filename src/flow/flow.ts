/**
 * The language flows are written in. A leaf: the core composes it, the simulator runs it, the OpenFlow client puts it
 * on the wire and the CLI prints it, so none of them depends on another.
 *
 * Field and action names follow ovs-fields(7) and ovs-actions(7).
 * @module
 */
import type { FieldName } from './fields.ts'

/** A value of a field. Integers up to 32 bits are numbers, wider ones bigints; MAC and IP addresses are their text form. */
export type Scalar = number | bigint | string

/** A value under a mask: only the bits set in `mask` count. */
export interface Masked {
  readonly value: Scalar
  readonly mask: Scalar
}

/** What a field must be. IP fields also take CIDR text, as in `10.128.0.0/14`. */
export type FieldMatch = Scalar | Masked

/** All of these fields must hold. An absent field matches everything. */
export type Match = { readonly [field in FieldName]?: FieldMatch }

/** A run of bits in a field: `bits` bits from bit `offset` (0 is the least significant). */
export interface Subfield {
  readonly field: FieldName
  readonly offset: number
  readonly bits: number
}

/** A port to output to: an OpenFlow port number or one of the reserved ports. */
export type OutputPort = number | 'in_port' | 'local' | 'flood' | 'all' | 'normal'

/** Network address translation inside a `ct` action. */
export interface Nat {
  readonly direction?: 'src' | 'dst'
  readonly address?: { readonly min: string; readonly max?: string }
  readonly port?: { readonly min: number; readonly max?: number }
  readonly flags?: readonly ('persistent' | 'hash' | 'random')[]
}

/**
 * One step of what happens to a packet. An empty list of actions drops it. `userdata` and `data` are bytes in
 * hexadecimal, two digits each; the `clause` of a conjunction counts from 1.
 */
export type Action =
  | { readonly op: 'output'; readonly port: OutputPort; readonly maxLength?: number }
  | { readonly op: 'output_reg'; readonly from: Subfield }
  | { readonly op: 'set'; readonly field: FieldName; readonly value: Scalar; readonly mask?: Scalar }
  | { readonly op: 'move'; readonly from: Subfield; readonly to: Subfield }
  | { readonly op: 'goto'; readonly table: number }
  | { readonly op: 'resubmit'; readonly table: number; readonly ct?: boolean }
  | { readonly op: 'group'; readonly group: number }
  | { readonly op: 'meter'; readonly meter: number }
  | { readonly op: 'check_pkt_larger'; readonly size: number; readonly to: Subfield }
  | { readonly op: 'controller'; readonly maxLength: number; readonly userdata: string; readonly meter?: number }
  | {
      readonly op: 'ct'
      readonly commit?: boolean
      readonly force?: boolean
      readonly zone?: number | Subfield
      readonly table?: number
      readonly nat?: Nat
      readonly exec?: readonly Action[]
    }
  | { readonly op: 'ct_clear' }
  /** Does all this with a copy of the packet; the packet itself goes on as it was. */
  | { readonly op: 'clone'; readonly actions: readonly Action[] }
  | { readonly op: 'conjunction'; readonly id: number; readonly clause: number; readonly of: number }
  | { readonly op: 'dec_ttl' }
  | { readonly op: 'push_vlan'; readonly ethertype: number }
  | { readonly op: 'pop_vlan' }
  | { readonly op: 'note'; readonly data: string }

/** One row of the switch's tables. Two flows are the same row when table, priority and match agree. */
export interface Flow {
  readonly table: number
  readonly priority: number
  readonly cookie: bigint
  readonly match: Match
  readonly actions: readonly Action[]
}

/** One outcome of a group. */
export interface Bucket {
  readonly id: number
  readonly weight?: number
  readonly watchPort?: number
  readonly actions: readonly Action[]
}

/** A set of outcomes of which `type` says which are taken. */
export interface Group {
  readonly id: number
  readonly type: 'all' | 'select' | 'indirect' | 'fast_failover'
  readonly buckets: readonly Bucket[]
  /** How a `select` group chooses; OVS's default is a hash of the datapath's own. */
  readonly selection?: { readonly method: 'hash' | 'dp_hash'; readonly fields?: readonly FieldName[] }
}

/** A rate limit; `rate` in kbit/s or packets/s, `burst` in kbit or packets. */
export interface Meter {
  readonly id: number
  readonly unit: 'kbps' | 'pktps'
  readonly rate: number
  readonly burst?: number
}
