/**
 * What a call's query asks for beside the object.
 * @module
 */
import { badRequest, invalidOption } from '../http/status.ts'
import { isFields, numberAt, textAt, valueAt } from '../objects/shape.ts'

/** How to delete. */
export interface Deletion {
  readonly gracePeriodSeconds?: number | undefined
  readonly propagation?: 'Foreground' | 'Background' | 'Orphan' | undefined
  readonly uid?: string | undefined
  readonly resourceVersion?: string | undefined
  readonly isDryRun?: boolean | undefined
}

/** Whether a call is only to be tried. Throws a 422 for another word than `All`. */
export function isDryRun(query: URLSearchParams, options: string): boolean {
  const given = query.getAll('dryRun').filter((value) => value !== '')
  const wrong = given.find((value) => value !== 'All')
  if (wrong === undefined) return given.length > 0
  const message = `Unsupported value: []string{${JSON.stringify(wrong.slice(0, 100))}}: supported values: "All"`
  throw invalidOption(options, 'dryRun', 'FieldValueNotSupported', message)
}

/** How a deletion is asked for, in its body or its query. Throws a 400 or a 422. */
export function deletionOf(query: URLSearchParams, body: unknown): Deletion {
  if (body !== undefined && !isFields(body)) throw badRequest('the body of a deletion is no DeleteOptions')
  const dryRun = valueAt(body, 'dryRun')
  const propagation = textAt(body, 'propagationPolicy') ?? query.get('propagationPolicy') ?? undefined
  if (
    propagation !== undefined &&
    propagation !== 'Foreground' &&
    propagation !== 'Background' &&
    propagation !== 'Orphan'
  ) {
    const message = `Unsupported value: ${JSON.stringify(propagation.slice(0, 100))}: supported values: "Background", "Foreground", "Orphan"`
    throw invalidOption('DeleteOptions', 'propagationPolicy', 'FieldValueNotSupported', message)
  }
  const orphans = valueAt(body, 'orphanDependents') === true || query.get('orphanDependents') === 'true'
  return {
    gracePeriodSeconds: numberAt(body, 'gracePeriodSeconds') ?? numberOf(query, 'gracePeriodSeconds'),
    propagation: propagation ?? (orphans ? 'Orphan' : undefined),
    uid: textAt(body, 'preconditions', 'uid'),
    resourceVersion: textAt(body, 'preconditions', 'resourceVersion'),
    isDryRun: (Array.isArray(dryRun) && dryRun.length > 0) || isDryRun(query, 'DeleteOptions'),
  }
}

/** A whole number of a query. Throws a 400. */
export function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^-?\d{1,15}$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text.slice(0, 50))}: ${name} is no number`)
  return Number(text)
}

/** A yes or no of a query. */
export function flagOf(query: URLSearchParams, name: string): boolean {
  const text = query.get(name)
  return text === 'true' || text === '1' || text === ''
}
