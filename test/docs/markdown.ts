/**
 * What the documentation tests read out of Markdown: pages, commands, links.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** The repository's root. */
export const ROOT = join(import.meta.dir, '../..')

/** A page, its path relative to the root. */
export interface Page {
  readonly path: string
  readonly text: string
}

/** Every page of the documentation, the root's own included. */
export function pages(): readonly Page[] {
  const root = readdirSync(ROOT).filter((name) => name.endsWith('.md'))
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
  return [...root, ...docs].sort().map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

/** Lines of each `sh` block of the page, without comments and empty lines. */
export function blocksOf({ text }: Page): readonly (readonly string[])[] {
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, body = '']) => body.split('\n').flatMap(commandIn))
}

/** Command lines of the page: lines of `sh` blocks, and code spans outside of blocks. */
export function commandsOf(page: Page): readonly string[] {
  const spans = [...proseOf(page.text).matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)
  return [...blocksOf(page).flat(), ...spans.flatMap(commandIn)]
}

/** Targets of the page's links. */
export function linksOf({ text }: Page): readonly string[] {
  const prose = proseOf(text).replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
}

/** The fragments that links into a page can name, as GitHub makes them from headings. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...proseOf(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading)
  return new Set(headings.map((heading) => slug(heading)))
}

function commandIn(line: string): string[] {
  const command = line.replace(/(^|\s)#.*$/, '').trim()
  return command === '' ? [] : [command]
}

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

function proseOf(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '')
}
