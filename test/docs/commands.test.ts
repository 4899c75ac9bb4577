/**
 * What the pages tell people to type exists: every `weft …` command and flag, every npm script, every relative link.
 */
import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { scripts } from '../../package.json'
import { createProgram } from '../../src/cli/program.ts'
import { anchorsOf, commandsOf, linksOf, pages, ROOT } from './markdown.ts'

const PAGES = pages()
const PROGRAM = createProgram()

test('every weft command and flag in the pages exists', () => {
  const lines = PAGES.flatMap((page) => commandsOf(page).map((line) => ({ path: page.path, line })))
  expect(lines.filter(({ line }) => isWeft(line)).length).toBeGreaterThan(20)
  const wrong = lines.flatMap(({ path, line }) =>
    (problemsOf(line) ?? []).map((problem) => `${path}: ${line}: ${problem}`),
  )
  expect(wrong).toEqual([])
})

test('every relative link leads somewhere', () => {
  const wrong = PAGES.flatMap((page) => linksOf(page).flatMap((target) => brokenLink(page.path, target)))
  expect(wrong).toEqual([])
})

test('pages that packages install link to each other only', () => {
  const shipped = PAGES.filter(({ path }) => path.startsWith('docs/'))
  const wrong = shipped.flatMap((page) => linksOf(page).flatMap((target) => linkOutside(page.path, target)))
  expect(wrong).toEqual([])
})

test.each([
  ['weft nonsense', 'no command nonsense'],
  ['weft play nonsense', 'no command nonsense'],
  ['weft play table --nonsense', 'no flag --nonsense'],
  ['weft play --nonsense', 'no flag --nonsense'],
  ['npm run nonsense', 'no script nonsense'],
  ['npm run play -- --nonsense', 'no flag --nonsense'],
])('%s is found to be wrong', (line, problem) => {
  expect(problemsOf(line)?.join()).toContain(problem)
})

test.each([
  ['weft play'],
  ['weft play --once --json'],
  ['weft play --fabric direct'],
  ['dist/weft play down'],
  ['npm run play -- down'],
  ['weft play exec shop/web -- ip -6 addr'],
])('%s is found to be right', (line) => {
  expect(problemsOf(line)).toEqual([])
})

function isWeft(line: string): boolean {
  return /^(sudo )?(dist\/)?weft( |$)/.test(line)
}

/** What is wrong with a line, or undefined when it is none of our commands. */
function problemsOf(line: string): string[] | undefined {
  const words = line.replace(/^sudo /, '').split(/\s+/)
  if (isWeft(line)) return walk(PROGRAM, words.slice(1))
  if (words[0] !== 'npm') return undefined
  const [, verb, name = ''] = words
  if (verb !== 'run') return ['ci', 'test', 'install'].includes(verb ?? '') ? [] : [`no npm ${verb}`]
  if (!Object.hasOwn(scripts, name)) return [`no script ${name}`]
  const given = words.includes('--') ? words.slice(words.indexOf('--') + 1) : []
  return name === 'play' ? walk(PROGRAM, ['play', ...given]) : []
}

/** Follows the words into the program. Placeholders (`<pod>`, `[--port]`) stand for themselves. */
function walk(command: Command, words: readonly string[]): string[] {
  const [word, ...rest] = words
  if (word === undefined || word === '--') return []
  const bare = word.replace(/^\[|\]$/g, '')
  if (bare.startsWith('-')) {
    const flag = bare.split('=')[0] ?? ''
    const takesValue = flag === bare && flagsOf(command).get(flag) === true
    return [
      ...(flagsOf(command).has(flag) ? [] : [`no flag ${flag}`]),
      ...walk(command, rest.slice(takesValue ? 1 : 0)),
    ]
  }
  const next = command.commands.find((one) => one.name() === bare)
  if (next !== undefined) return walk(next, rest)
  const takesArguments = command.commands.length === 0 || isValue(bare)
  return takesArguments ? walk(command, rest) : [`no command ${bare}`]
}

/** Placeholders on a command that has commands of its own. */
function isValue(word: string): boolean {
  return /^[<…|]|\/|^help$/.test(word)
}

/** Flags of a command and of the one that runs when no other is named, with whether a value has to follow. */
function flagsOf(command: Command): ReadonlyMap<string, boolean> {
  const fallback: unknown = Reflect.get(command, '_defaultCommandName')
  const named = [command, ...command.commands.filter((one) => one.name() === fallback)]
  const options = named.flatMap((one) =>
    one.options.flatMap(({ long, short, required }) =>
      [long, short].flatMap((flag): [string, boolean][] => (typeof flag === 'string' ? [[flag, required]] : [])),
    ),
  )
  return new Map([['--help', false], ['-h', false], ...options])
}

function linkOutside(from: string, target: string): string[] {
  if (/^[a-z]+:|^#/.test(target)) return []
  return join(dirname(from), target).startsWith('docs/') ? [] : [`${from}: ${target}`]
}

function brokenLink(from: string, target: string): string[] {
  if (/^[a-z]+:/.test(target)) return []
  const [path = '', anchor] = target.split('#')
  const file = join(ROOT, path === '' ? from : join(dirname(from), path))
  if (!existsSync(file)) return [`${from}: ${target}: there is no such file`]
  if (anchor === undefined || anchorsOf(readFileSync(file, 'utf8')).has(decodeURIComponent(anchor))) return []
  return [`${from}: ${target}: there is no such heading`]
}
