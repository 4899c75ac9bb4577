/**
 * What ADD answers: one model for every version. `result-print.ts` and `result-parse.ts` are its two ways to JSON.
 * Source: CNI specification, "Section 5: Result Types".
 * @module
 */

/** A link the plugins made. Without `sandbox` it is one of the node. */
export interface ResultInterface {
  readonly name: string
  readonly mac?: string
  /** Bytes; since 1.1.0. */
  readonly mtu?: number
  /** Path of the network namespace. */
  readonly sandbox?: string
  /** Since 1.1.0. */
  readonly socketPath?: string
  /** Since 1.1.0. */
  readonly pciId?: string
}

/** An address the container has. */
export interface ResultIp {
  /** Address and prefix length: `10.1.0.5/16`. */
  readonly address: string
  readonly gateway?: string
  /** Index into `interfaces`. */
  readonly interface?: number
}

/** A route of the container. Everything but `dst` and `gw` is since 1.1.0. */
export interface ResultRoute {
  readonly dst: string
  readonly gw?: string
  readonly mtu?: number
  readonly advmss?: number
  readonly priority?: number
  readonly table?: number
  /** 0 global, 253 link, 254 host. */
  readonly scope?: number
}

/** Name resolution for the container. */
export interface ResultDns {
  readonly nameservers: readonly string[]
  readonly domain?: string
  readonly search: readonly string[]
  readonly options: readonly string[]
}

/** The result of ADD, and what a chained plugin gets as `prevResult`. */
export interface CniResult {
  readonly interfaces: readonly ResultInterface[]
  readonly ips: readonly ResultIp[]
  readonly routes: readonly ResultRoute[]
  readonly dns: ResultDns
}

/** No name resolution. */
export const NO_DNS: ResultDns = { nameservers: [], search: [], options: [] }

/** A result that says nothing: the start of one. */
export const EMPTY_RESULT: CniResult = { interfaces: [], ips: [], routes: [], dns: NO_DNS }
