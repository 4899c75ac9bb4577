/**
 * The table in words: as a file to begin with, and as a page.
 * @module
 */
import type { Applied, Setting } from './setting.ts'
import { SECTIONS, SETTINGS } from './table.ts'

/** A settings file with everything in it as a comment that says its default. It means the same as an empty one. */
export function commentedFile(): string {
  const sections = Object.entries(SECTIONS).map(([section, about]) => {
    const lines = settingsOf(section).flatMap(([key, setting]) => commented(key.slice(section.length + 1), setting))
    return [...folded(plain(about)).map((part) => `# ${part}`), `${section}:`, ...lines, ''].join('\n')
  })
  return `${HEAD}\n${sections.join('\n')}`
}

const HEAD = `# Every setting of Weft's agent and controller with what holds when it is left out. To change one, remove its "#".
# An option of the command line wins over this file. What it all means: docs/settings.md
`

/** The settings as a Markdown table, a section after the other. */
export function settingsPage(): string {
  return Object.entries(SECTIONS)
    .map(([section, about]) => {
      const rows = settingsOf(section).map(([key, setting]) => row(key, setting))
      return [`### ${section}`, '', about, '', ...TABLE_HEAD, ...rows, ''].join('\n')
    })
    .join('\n')
}

const TABLE_HEAD = ['| key | what | allowed | default | read by | counts |', '|---|---|---|---|---|---|']

const COUNTS: { readonly [A in Applied]: string } = {
  live: 'at once',
  restart: 'after a restart',
  once: 'for a new cluster',
}

function settingsOf(section: string): readonly (readonly [string, Setting])[] {
  return Object.entries<Setting>(SETTINGS).filter(([key]) => key.startsWith(`${section}.`))
}

function row(key: string, setting: Setting): string {
  const { type, description, programs, applied, flag, unit } = setting
  const what = flag === undefined ? description : `${description}; \`--${flag}\``
  const allowed = unit === undefined ? type.allowed : `${type.allowed} (${unit})`
  const value = setting.default === undefined ? (setting.otherwise ?? 'none') : `\`${inline(setting.default)}\``
  return `| \`${key}\` | ${what} | ${allowed} | ${value} | ${programs.join(', ')} | ${COUNTS[applied]} |`
}

function commented(name: string, setting: Setting): readonly string[] {
  const { description, unit, otherwise = 'nothing' } = setting
  const about = `${plain(unit === undefined ? description : `${description}, in ${unit}`)}.`
  const isSettled = setting.default !== undefined
  const text = isSettled ? about : `${about} When left out: ${plain(otherwise)}. For example:`
  const line = `  #${name}: ${inline(isSettled ? setting.default : setting.example)}`
  return [...folded(text).map((part) => `  # ${part}`), line]
}

const WIDTH = 110

function folded(text: string): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** A value as YAML on one line. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (typeof value !== 'object' || value === null) return plainScalar(String(value))
  return `{${Object.entries(value)
    .map(([key, inner]) => `${key}: ${inline(inner)}`)
    .join(', ')}}`
}

/** IPv6 networks have colons, which YAML would take for a key in some places. */
function plainScalar(text: string): string {
  return /^[A-Za-z0-9/._-]+$/.test(text) ? text : JSON.stringify(text)
}

/** What terminals show in every language. */
function plain(text: string): string {
  return text.replaceAll('`', '').replaceAll('’', "'")
}
