/**
 * The versions of the CNI specification and the verbs each has.
 * Source: CNI specification, "Version history" and "Section 2: Execution Protocol".
 * @module
 */

/** Every version we speak, oldest first. */
export const CNI_VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const

/** A version of the specification we speak. */
export type CniVersion = (typeof CNI_VERSIONS)[number]

/** Every verb a runtime may call a plugin with (`CNI_COMMAND`). */
export const CNI_VERBS = ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION'] as const

/** What a runtime asks of a plugin. */
export type CniVerb = (typeof CNI_VERBS)[number]

/** The newest version we speak: the form of an answer when nothing asks for an older one. */
export const NEWEST_VERSION: CniVersion = '1.1.0'

/** A configuration without `cniVersion` is of this version. */
export const IMPLIED_VERSION: CniVersion = '0.1.0'

/** The version an error carries when the request's own cannot be read: every runtime in use knows it. */
export const FALLBACK_VERSION: CniVersion = '0.4.0'

const VERB_SINCE: Readonly<Record<CniVerb, CniVersion>> = {
  ADD: '0.1.0',
  DEL: '0.1.0',
  VERSION: '0.2.0',
  CHECK: '0.4.0',
  GC: '1.1.0',
  STATUS: '1.1.0',
}

/** The answer to VERSION. */
export interface VersionAnswer {
  readonly cniVersion: CniVersion
  readonly supportedVersions: readonly CniVersion[]
}

/** Whether the value names a version we speak. */
export function isCniVersion(value: unknown): value is CniVersion {
  return CNI_VERSIONS.some((version) => version === value)
}

/** Whether the value is a verb. Verbs are upper case. */
export function isCniVerb(value: unknown): value is CniVerb {
  return CNI_VERBS.some((verb) => verb === value)
}

/** Whether `version` is `least` or newer. */
export function isAtLeast(version: CniVersion, least: CniVersion): boolean {
  return CNI_VERSIONS.indexOf(version) >= CNI_VERSIONS.indexOf(least)
}

/** The version in which a verb appeared. */
export function verbSince(verb: CniVerb): CniVersion {
  return VERB_SINCE[verb]
}

/** Whether a configuration of this version may be called with the verb. */
export function versionHasVerb(version: CniVersion, verb: CniVerb): boolean {
  return isAtLeast(version, VERB_SINCE[verb])
}

/** The answer to VERSION: in the caller's own version where we speak it, else in the newest. */
export function versionAnswer(requested?: unknown): VersionAnswer {
  return { cniVersion: isCniVersion(requested) ? requested : NEWEST_VERSION, supportedVersions: CNI_VERSIONS }
}
