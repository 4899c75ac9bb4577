import { closeSync, openSync, readSync } from 'node:fs'
import type { Command } from 'commander'
import { type Given, MOST_CHARACTERS, policiesIn, type Source } from '../../insight/preview/documents.ts'
import { gatherWorld } from '../../insight/preview/gather.ts'
import { preview } from '../../insight/preview/preview.ts'
import { previewJson, printPreview } from '../../insight/preview/print.ts'
import { policyNamed } from '../../insight/preview/removals.ts'
import { changed } from '../../insight/preview/world.ts'
import { policyKey } from '../../network/model/policy.ts'
import { openRegistry, type RegistryChoice, withSharedStateOptions } from '../address.ts'
import { usage } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { printJson, printLines } from '../insight.ts'
import { outputLook } from '../look.ts'
import { objectName } from '../numbers.ts'

interface Options extends RegistryChoice {
  readonly filename: readonly string[]
  readonly delete: readonly string[]
  readonly namespace: string
  readonly json?: boolean
}

/** `weft policy preview`: which pairs and ports change before a policy is applied. */
export function addPolicyPreview(policy: Command): void {
  withSharedStateOptions(
    policy
      .command('preview')
      .description(
        'Says who will reach whom, and who will not, at which ports, if the policies in a file were applied, or some ' +
          'were deleted; and what looks like a mistake in them. Nothing is applied.',
      )
      .option('-f, --filename <file>', 'policies in YAML or JSON; `-`: standard input. May be given again', also, [])
      .option('--delete <policy>', 'as if it were gone: kind/namespace/name. May be given again', also, [])
      .option('-n, --namespace <name>', 'of policies that name none', objectName, 'default'),
  )
    .addHelpText('after', HELP)
    .action(runPreview)
}

const HELP = `
Exit codes: 0 nothing changes, 5 something changes.

Examples:
  weft policy preview -f policy.yaml
  weft policy preview -f policy.yaml -f more.yaml --json
  weft policy preview --delete NetworkPolicy/bank/deny-all
  kubectl get networkpolicies -A -o yaml | weft policy preview -f -`

function also(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

async function runPreview(options: Options): Promise<void> {
  const { filename, namespace } = options
  if (filename.length === 0 && options.delete.length === 0) {
    throw usage('nothing is to change', 'name a file with policies (-f) or a policy that is to go (--delete)')
  }
  const given = filename.length === 0 ? [] : policiesIn(sourcesOf(filename), namespace)
  const { registry, close } = openRegistry(options)
  const world = await gatherWorld(registry).finally(close)
  const remove = options.delete.map((text) => policyNamed(text, world.before))
  const put = given.map(({ policy }) => policy)
  const after = changed(world.before, { put, remove })
  const seen = preview({ ...world, after }, afterwards(given, after))
  const keys = new Set([...put, ...remove].map(policyKey))
  if (options.json === true) printJson(previewJson(seen))
  else printLines(printPreview(seen, keys, outputLook()))
  process.exitCode = seen.lines.length === 0 ? EXIT.ok : EXIT.changes
}

/** Warnings are about the policies that will be there. */
function afterwards(given: readonly Given[], after: Iterable<Given['policy']>): readonly Given[] {
  const there = new Set([...after].map(policyKey))
  return given.filter(({ policy }) => there.has(policyKey(policy)))
}

function sourcesOf(names: readonly string[]): readonly Source[] {
  if (names.filter((name) => name === '-').length > 1) {
    throw usage('standard input is there twice', 'give `-f -` once')
  }
  return names.map((name) => {
    const called = name === '-' ? 'standard input' : name
    try {
      return { name: called, text: textIn(name) }
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error)
      throw usage(`cannot read ${called}: ${cause}`, 'name a file with policies')
    }
  })
}

/** A file's text, up to a little more than is taken: of what has no end, too. */
function textIn(name: string): string {
  const file = name === '-' ? 0 : openSync(name, 'r')
  const chunks: Buffer[] = []
  let total = 0
  try {
    while (total <= MOST_CHARACTERS) {
      const chunk = Buffer.alloc(1 << 16)
      const length = readSync(file, chunk)
      if (length === 0) break
      chunks.push(chunk.subarray(0, length))
      total += length
    }
  } finally {
    if (name !== '-') closeSync(file)
  }
  return Buffer.concat(chunks).toString('utf8')
}
