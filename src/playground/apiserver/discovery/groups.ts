/**
 * Resources by group and version, in the order in which clients shall prefer them.
 * @module
 */
import type { ServedResource } from '../contract.ts'

/** One version of a group. */
export interface GroupVersion {
  readonly version: string
  readonly resources: readonly ServedResource[]
}

/** A group; its first version is the preferred one. */
export interface Group {
  /** Empty for the core group. */
  readonly name: string
  readonly versions: readonly GroupVersion[]
}

/** Groups in the order in which they first appear. */
export function groupsOf(resources: readonly ServedResource[]): readonly Group[] {
  return [...Map.groupBy(resources, ({ group }) => group)].map(([name, served]) => ({
    name,
    versions: [...Map.groupBy(served, ({ version }) => version)]
      .map(([version, own]) => ({ version, resources: own }))
      .sort((left, right) => compareVersions(left.version, right.version)),
  }))
}

/** Kubernetes' order of versions: v2, v1, v2beta1, v1beta2, v1alpha1, then anything else by name. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [rank(left), rank(right)]
  if (a === undefined || b === undefined) return a === b ? (left < right ? -1 : 1) : a === undefined ? 1 : -1
  return b.stage - a.stage || b.major - a.major || b.minor - a.minor
}

const STAGES = ['alpha', 'beta', '']

function rank(version: string): { stage: number; major: number; minor: number } | undefined {
  const [, major, stage = '', minor = '0'] = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version) ?? []
  return major === undefined ? undefined : { stage: STAGES.indexOf(stage), major: Number(major), minor: Number(minor) }
}
