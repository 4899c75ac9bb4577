import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { EXIT } from './exit-codes.ts'
import { createProgram } from './program.ts'
import { sentence } from './sentences.ts'

const MAIN = join(import.meta.dir, '../main.ts')

describe('command lines that make no sense', () => {
  const cases: readonly (readonly [words: string, says: string, explained: string])[] = [
    ['bogus', "unknown command 'bogus'", 'weft'],
    ['play bogus', "unknown command 'bogus'", 'weft play'],
    ['play up --nodes 0', "option '--nodes <count>' argument '0' is invalid.", 'weft play up'],
    ['play table --bogus --run-dir /run/x', "unknown option '--bogus'", 'weft play table'],
    ['tenant', 'weft tenant needs a command', 'weft tenant'],
    ['tenant join bank', "required option '--to <namespace>' not specified", 'weft tenant join'],
    ['trace a', "missing required argument 'to'", 'weft trace'],
  ]
  test.each(cases)('weft %s', async (words, says, explained) => {
    const plain = await weft(...words.split(' '))
    expect(plain.stderr.split('\n').at(-2)).toStartWith(`weft: ${says}`)
    expect(plain.stderr).toEndWith(` → ${explained} --help explains the command\n`)
    expect(plain).toMatchObject({ code: EXIT.usage, stdout: '' })
    const json = await weft(...words.split(' '), '--json')
    expect(json.code).toBe(EXIT.usage)
    const { error } = JSON.parse(json.stdout)
    expect(error).toMatchObject({ code: 'CLI_USAGE', remedy: `${explained} --help explains the command` })
  })

  test.each([
    ['tennant list', "unknown command 'tennant' → did you mean weft tenant? weft --help explains the command"],
    ['tenant lsit', "unknown command 'lsit' → did you mean weft tenant list? weft tenant --help explains the command"],
    ['tenant list --jsn', "unknown option '--jsn' → did you mean --json? weft tenant list --help explains the command"],
    [
      'host add LB_1 --address ::1 --vni 0',
      "'LB_1' is no <name>: lower case letters, digits, dashes and dots are wanted → weft host add --help explains the command",
    ],
  ])('weft %s is told what was meant', async (words, says) => {
    expect(await weft(...words.split(' '))).toEqual({ code: EXIT.usage, stdout: '', stderr: `weft: ${says}\n` })
  })

  test('our own options between the place and the program', async () => {
    const { code, stderr } = await weft('play', 'exec', 'shop/web', '--run-dir', '/run/x', '--', 'true')
    expect(stderr).toBe(
      'weft: --run-dir stands after the place → options of weft go before the place, the program and its own after --\n',
    )
    expect(code).toBe(EXIT.usage)
  })

  const places: readonly (readonly [words: string, says: string])[] = [
    [
      'tenant list --run-dir /run/x --registry unix:/run/y',
      '--registry and --run-dir both name a registry → give one of them',
    ],
    [
      'tenant list --run-dir /run/x --kubeconfig y',
      '--kubeconfig and --run-dir both name a registry → give one of them',
    ],
    ['status --registry unix:/y --kubeconfig z', '--registry and --kubeconfig both name a registry → give one of them'],
    ['status --context z', '--context says nothing without --kubeconfig → give both'],
    ['adopt', '--node is missing → give this node’s name in the registry'],
    [
      'adopt --prepare --kubeconfig y',
      '--kubeconfig says nothing with --prepare, which changes br0 alone → leave --kubeconfig away',
    ],
    ['audit --registry tcp:1', '"tcp:1" is not the address of a registry → write unix:/path/to/socket'],
  ]
  test.each(places)('weft %s', async (words, says) => {
    const { code, stderr } = await weft(...words.split(' '))
    expect(stderr).toBe(`weft: ${says}\n`)
    expect(code).toBe(EXIT.usage)
  })
})

test('remedies name the folder that was given', async () => {
  const { code, stderr } = await weft('play', 'table', '--run-dir', '/nonexistent/weft-none')
  expect(stderr).toBe(
    'weft: no playground is up in /nonexistent/weft-none → weft play --run-dir /nonexistent/weft-none brings one up\n',
  )
  expect(code).toBe(EXIT.unreachable)
})

/** Root needs no user namespace for it, which is not to be had everywhere. */
const OWN_MOUNTS = ['unshare', ...(process.getuid?.() === 0 ? [] : ['--map-root-user']), '--mount']

test.each(['agent', 'controller'])(
  'weft %s that is told nothing ends, also where a playground is up',
  async (daemon) => {
    // A machine whose /run is its own, with what a playground leaves there.
    const playground = 'mount -t tmpfs none /run && mkdir /run/weft-play && touch /run/weft-play/registry.sock'
    const machine = [...OWN_MOUNTS, 'sh', '-c', `${playground} && exec timeout 20 "$@"`, 'sh']
    const { code, stderr } = await run([...machine, process.execPath, MAIN, daemon], WITHOUT_PLACE)
    expect(stderr).toStartWith(
      'weft: nothing says where shared state is → name a Kubernetes API server by --kubeconfig',
    )
    expect(code).toBe(EXIT.unreachable)
  },
)

test.each([
  [{}, /another registry by --registry unix:PATH\n$/],
  [{ KUBECONFIG: '/nowhere/config' }, /; commands do not read \$KUBECONFIG\n$/],
])('a command that is told no cluster says how to name one, %p', async (env, end) => {
  const command = [...OWN_MOUNTS, 'sh', '-c', 'mount -t tmpfs none /run && exec "$@"', 'sh']
  const words = [process.execPath, MAIN, 'tenant', 'list']
  const { code, stderr } = await run([...command, ...words], { ...WITHOUT_PLACE, ...env })
  expect(stderr).toStartWith('weft: no playground is up, and no registry was named → ')
  expect(stderr).toContain('a cluster is named by --kubeconfig FILE')
  expect(stderr).toMatch(end)
  expect(code).toBe(EXIT.unreachable)
})

/** An environment that tells of no shared state. */
const WITHOUT_PLACE = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(WEFT_REGISTRY|KUBECONFIG|KUBERNETES_.*)$/.test(name)),
)

test('weft play --help lists the options that hold without a command', async () => {
  const { stdout } = await weft('play', '--help')
  for (const flag of ['--nodes', '--underlay', '--encapsulation', '--once', '--keep', '--json', '--yes']) {
    expect(stdout).toContain(`\n  ${flag}`)
  }
})

test.skipIf(process.getuid?.() !== 0)(
  'weft play down says so where there is nothing to take down',
  async () => {
    const runDir = `/tmp/wt-nothing-${process.pid}`
    const told = { code: EXIT.ok, stdout: `Nothing to take down: there is no playground in ${runDir}.\n` }
    expect(await weft('play', 'down', '--run-dir', runDir)).toEqual(expect.objectContaining(told))
    expect(existsSync(runDir)).toBe(false)
  },
  60_000,
)

test('every command’s help fits 80 columns', () => {
  const lines = everyCommand(createProgram()).flatMap((command) => helpOf(command).split('\n'))
  expect(lines.filter((line) => [...line].length > 80)).toEqual([])
})

test('every command’s help is made of sentences', () => {
  for (const command of everyCommand(createProgram())) {
    const help = command.createHelp()
    const told = [
      ...help.visibleOptions(command).map((option) => sentence(option.description)),
      ...(command.summary() === '' ? [] : [help.subcommandDescription(command)]),
    ]
    for (const text of told) expect(text).toMatch(/^([A-Z]|\S*([/$\d-]|[:.]\S)).*[.!?]$/)
  }
})

test('capitals: a value at the start of a help text is not made into a word', () => {
  const said = everyCommand(createProgram()).flatMap((command) => {
    const help = command.createHelp()
    return [
      ...help.visibleOptions(command).map((option) => help.optionDescription(option)),
      ...help.visibleArguments(command).map((argument) => help.argumentDescription(argument)),
    ]
  })
  // What has a colon or a dot in it is typed as it stands: unix:PATH, clouds.yaml.
  expect(said.filter((text) => /^[A-Z][a-z]+[:.]\S/.test(text))).toEqual([])
  expect(said.filter((text) => /^(Ssl|Netdev|Unix|Tcp|Default)\b/.test(text))).toEqual([])
  expect(sentence('unix:PATH or so')).toBe('unix:PATH or so.')
  expect(sentence('clouds.yaml, with the credentials')).toBe('clouds.yaml, with the credentials.')
  expect(sentence('a word: and more')).toBe('A word: and more.')
  for (const command of everyCommand(createProgram())) {
    for (const { argChoices = [], description } of command.createHelp().visibleOptions(command)) {
      const [first = ''] = description.split(' ')
      expect([description, argChoices.includes(first)]).toEqual([description, false])
    }
  }
})

test('no sentence of a help text ends in the middle', () => {
  const said = everyCommand(createProgram()).flatMap((command) =>
    command
      .createHelp()
      .visibleOptions(command)
      .map(({ description }) => sentence(description)),
  )
  expect(said.filter((one) => /(,|\b(and|or|of|the|a|by|in|with))\.$/.test(one))).toEqual([])
})

/** What `--help` prints where the width is not known. */
function helpOf(command: Command): string {
  const parts: string[] = []
  command.configureOutput({ writeOut: (part) => void parts.push(part), getOutHelpWidth: () => 80 }).outputHelp()
  return parts.join('')
}

function everyCommand(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(everyCommand)]
}

function weft(...args: readonly string[]) {
  return run([process.execPath, MAIN, ...args])
}

async function run(command: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const child = Bun.spawn([...command], { stdout: 'pipe', stderr: 'pipe', env })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, stdout, stderr }
}
