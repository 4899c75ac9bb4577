/**
 * From a settings file to values, or every reason why not.
 * @module
 */
import { type At, below, type Decoded, type Problem, reject, shown } from '../network/model/decode.ts'
import { nearest } from './nearest.ts'
import type { Setting } from './setting.ts'
import { SECTIONS, SETTINGS, type Settings } from './table.ts'
import { parseYaml } from './yaml.ts'

/** A file of all settings has a few thousand characters. */
const MAX_TEXT = 1 << 16

const TABLE: Readonly<Record<string, Setting>> = SETTINGS
const KEYS = Object.keys(SETTINGS)

/** The values in a file's text. An empty file, and sections without a value, are fine. Never throws. */
export function decodeSettings(text: string): Decoded<Settings> {
  const problems: Problem[] = []
  const at: At = { path: '', problems }
  const document = parseYaml(text, at, MAX_TEXT)
  const values: Record<string, unknown> = {}
  for (const [section, content] of entriesOf(document, at)) {
    if (!Object.hasOwn(SECTIONS, section)) reject(below(at, section), 'there is no such section', sectionHelp(section))
    else decodeSection(section, content, at, values)
  }
  return problems.length === 0 ? { ok: true, value: values as Settings } : { ok: false, problems }
}

function decodeSection(section: string, content: unknown, at: At, values: Record<string, unknown>): void {
  const here = below(at, section)
  for (const [name, input] of entriesOf(content, here)) {
    const key = `${section}.${name}`
    const place = below(here, name)
    // A key without a value is one that was not uncommented with its value.
    if (!Object.hasOwn(TABLE, key)) reject(place, 'there is no such setting', settingHelp(key, name))
    else if (input === null) reject(place, 'has no value', `give ${TABLE[key]?.type.allowed}, or remove the line`)
    else {
      const value = TABLE[key]?.type.decode(input, place)
      if (value !== undefined) values[key] = value
    }
  }
}

function entriesOf(input: unknown, at: At): readonly (readonly [string, unknown])[] {
  if (input === null || input === undefined) return []
  if (typeof input === 'object' && !Array.isArray(input)) return Object.entries(input)
  reject(at, `${shown(input)} is no section`, 'give names with values, one per line')
  return []
}

function sectionHelp(section: string): string {
  const sections = Object.keys(SECTIONS)
  // A setting without its section is written, or a section that is none.
  const setting = KEYS.find((key) => key.endsWith(`.${section}`))
  const meant = setting ?? nearest(section, sections)
  return meant === undefined ? `the sections are ${sections.join(', ')}` : `did you mean ${meant}?`
}

function settingHelp(key: string, name: string): string {
  const meant = KEYS.find((known) => known.endsWith(`.${name}`)) ?? nearest(key, KEYS)
  const [section = ''] = key.split('.')
  const there = KEYS.filter((known) => known.startsWith(`${section}.`))
  return meant === undefined ? `there are ${there.join(', ')}` : `did you mean ${meant}?`
}
