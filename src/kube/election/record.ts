/**
 * What a Lease says about who leads, read from and written to the API. Fields: k8s.io/api, `coordination/v1`.
 * @module
 */
import { isFields } from '../fields.ts'
import type { KubeObject } from '../object.ts'

/** Who leads, in the lease's own words. Its times are of other people's clocks: for people to read, never to compare. */
export interface LeaseRecord {
  /** Empty: nobody. */
  readonly holder: string
  /** How long others wait after the record last changed, in milliseconds, as its holder wants it. */
  readonly duration: number
  readonly acquireTime: string
  readonly renewTime: string
  /** How often it changed hands. */
  readonly transitions: number
}

/** A lease as it was read, with what a write must say to replace no other. */
export interface Lease {
  readonly record: LeaseRecord
  readonly resourceVersion: string
}

/** A holder that says something absurd does not keep others waiting for ever. */
const LONGEST = 3_600_000

/** What an object says. What is missing or wrong in it counts as if nobody held it and had never done so. */
export function readLease({ metadata, ...fields }: KubeObject): Lease {
  const spec = isFields(fields['spec']) ? fields['spec'] : {}
  const { holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions } = spec
  const seconds = typeof leaseDurationSeconds === 'number' ? Math.max(0, leaseDurationSeconds) : 0
  return {
    record: {
      holder: textOf(holderIdentity),
      duration: Math.min(seconds * 1000, LONGEST),
      acquireTime: textOf(acquireTime),
      renewTime: textOf(renewTime),
      transitions: Number.isSafeInteger(leaseTransitions) ? Math.max(0, Number(leaseTransitions)) : 0,
    },
    resourceVersion: metadata.resourceVersion ?? '',
  }
}

/** A record as a lease's `spec`. */
export function specOf({ holder, duration, acquireTime, renewTime, transitions }: LeaseRecord) {
  return {
    holderIdentity: holder,
    // The API takes none below one.
    leaseDurationSeconds: Math.max(1, Math.ceil(duration / 1000)),
    acquireTime,
    renewTime,
    leaseTransitions: transitions,
  }
}

/** A time as leases have it: with six digits behind the point. */
export function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z')
}

function textOf(input: unknown): string {
  return typeof input === 'string' ? input : ''
}
