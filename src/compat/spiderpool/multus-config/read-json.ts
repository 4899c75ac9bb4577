/**
 * Configurations that stand in an object as JSON texts.
 * @module
 */
import { at, listAt, textAt } from '../../fields.ts'
import type { Faults } from './faults.ts'
import type { JsonObject } from './multus-config.ts'

/** Deeper nesting is refused: no configuration needs it, and whoever reads it later must not run out of stack. */
const MAX_DEPTH = 64

/** The steps of a chain, each of which needs a `type`. Faults are collected. */
export function readChain(field: string, value: unknown, faults: Faults): readonly JsonObject[] {
  return faults.items(field, value).flatMap((text, index) => {
    const here = `${field}[${index}]`
    const step = objectIn(text)
    if (step === undefined) faults.add(here, 'is no JSON object', 'give the configuration of one CNI plugin as JSON')
    else if (textAt(step, 'type') === undefined) faults.add(here, 'has no type', "add the plugin's type")
    return step === undefined ? [] : [step]
  })
}

/** A CNI configuration or list as it is written; the empty text, where a file of the node has it. */
export function readCustom(field: string, value: unknown, faults: Faults): string {
  const text = faults.text(field, value)
  if (text.trim() === '') return ''
  const config = objectIn(text)
  if (config === undefined) {
    faults.add(field, 'is no JSON object', 'give a CNI configuration, a list of such in plugins, or nothing')
    return ''
  }
  const steps = at(config, 'plugins') === undefined ? [config] : listAt(config, 'plugins')
  if (steps.length === 0 || steps.some((step) => textAt(step, 'type') === undefined)) {
    faults.add(field, 'has a plugin without a type, or none', 'give every plugin its type')
  }
  return text
}

function objectIn(text: unknown): JsonObject | undefined {
  try {
    const value: unknown = typeof text === 'string' ? JSON.parse(text) : undefined
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject && isShallow(value) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

function isShallow(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth < MAX_DEPTH && Object.values(value).every((one) => isShallow(one, depth + 1))
}
