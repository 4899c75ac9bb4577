/**
 * Files in the style of systemd and NetworkManager: sections, keys, values.
 * @module
 */

/** A section as it stands: the same name may come again, and a key too. */
export interface IniSection {
  readonly name: string
  readonly entries: readonly (readonly [key: string, value: string])[]
}

/** Reads a file's text. Lines that make no sense are left out; never throws. */
export function parseIni(text: string): readonly IniSection[] {
  const sections: { name: string; entries: [string, string][] }[] = []
  // A backslash at the end continues a line.
  for (const line of text.replace(/\\\r?\n/g, ' ').split(/\r?\n/)) {
    const head = /^\s*\[([^\]]*)\]\s*$/.exec(line)
    if (head !== null) sections.push({ name: head[1] ?? '', entries: [] })
    const pair = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line)
    if (head === null && pair !== null) sections.at(-1)?.entries.push([pair[1] ?? '', pair[2] ?? ''])
  }
  return sections
}

/** The last value of a key; undefined where nobody sets it. */
export function lastValue(sections: readonly IniSection[], section: string, key: string): string | undefined {
  return sections
    .filter(({ name }) => name === section)
    .flatMap(({ entries }) => entries)
    .findLast(([one]) => one === key)?.[1]
}

/** A truth value as systemd reads it (`yes`, `true`, `on`, `1`); undefined for anything else. */
export function truth(value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined
  if (/^(1|yes|y|true|t|on)$/i.test(value)) return true
  return /^(0|no|n|false|f|off)$/i.test(value) ? false : undefined
}

/** Whether a name matches a shell pattern of `*`, `?` and `[…]`. */
export function matchesGlob(pattern: string, name: string): boolean {
  return new Bun.Glob(pattern.replace(/[{}\\]/g, '\\$&')).match(name)
}
