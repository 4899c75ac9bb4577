import type { FieldName } from './fields.ts'
import { FIELDS } from './fields.ts'
import type { Scalar } from './flow.ts'
import { canonicalPort } from './normalize-actions.ts'

/** Fields that ovs-ofctl writes in hexadecimal even when they are exact. */
const HEXADECIMAL = /^(reg\d+|tun_id|metadata|pkt_mark|ct_mark|ct_label|ct_state|eth_type|ip_frag|vlan_tci|tcp_flags)$/

/** One value; integers under a mask are written in hexadecimal, zero without `0x` unless it has 16 bits. */
export function formatScalar(name: FieldName, value: Scalar, masked: boolean): string {
  if (typeof value === 'string' || FIELDS[name].kind !== 'integer') return String(value)
  if (Number(value) === 0) return masked && FIELDS[name].bits === 16 ? '0x0' : '0'
  return masked || HEXADECIMAL.test(name) ? `0x${value.toString(16)}` : String(value)
}

/** A port: `LOCAL`, `IN_PORT` … or its number. */
export function formatPort(port: number): string {
  const named = canonicalPort(port)
  return typeof named === 'number' ? String(named) : named.toUpperCase()
}
