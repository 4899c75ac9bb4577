/**
 * DNS messages (RFC 1035, RFC 6891) with the record types that a cluster's names need.
 * @module
 */

/** Numbers of record types. */
export const TYPES = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, ANY: 255 } as const

/** Numbers of answers. The last one needs EDNS. */
export const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const

/** The internet's class. */
export const CLASS_IN = 1

/** What a record says. Names are as in name.ts, addresses canonical. */
export type Data =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'CNAME' | 'PTR' | 'NS'; readonly target: string }
  | {
      readonly type: 'SRV'
      readonly priority: number
      readonly weight: number
      readonly port: number
      readonly target: string
    }
  | { readonly type: 'TXT'; readonly text: string }
  | {
      readonly type: 'SOA'
      readonly primary: string
      readonly mailbox: string
      readonly serial: number
      readonly refresh: number
      readonly retry: number
      readonly expire: number
      readonly minimum: number
    }
  | { readonly type: 'other'; readonly number: number; readonly bytes: Uint8Array }

/** A resource record of the internet's class. TTL in seconds. */
export interface DnsRecord {
  readonly name: string
  readonly ttl: number
  readonly data: Data
}

/** What is asked. */
export interface Question {
  readonly name: string
  /** A record type's number. */
  readonly type: number
  readonly class: number
  /** The name's bytes as asked, capitals and all. */
  readonly wire: Uint8Array
}

/** The extension of messages, RFC 6891. */
export interface Edns {
  /** Bytes that the sender can receive by UDP. */
  readonly size: number
  readonly version: number
}

/** A message. */
export interface Message {
  readonly id: number
  readonly isResponse: boolean
  readonly opcode: number
  readonly authoritative: boolean
  readonly truncated: boolean
  readonly recursionDesired: boolean
  readonly recursionAvailable: boolean
  readonly rcode: number
  readonly questions: readonly Question[]
  readonly answers: readonly DnsRecord[]
  readonly authorities: readonly DnsRecord[]
  readonly additionals: readonly DnsRecord[]
  readonly edns?: Edns
}
