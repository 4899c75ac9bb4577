/**
 * nftables by its own tool, as one transaction from standard input. A process of about 20 ms: never on the pod path.
 * @module
 */
import { badArgument, LinuxError } from './errno.ts'
import { netnsPath } from './netns.ts'

export interface NftOptions {
  /** Name of a namespace under /run/netns; default: the program's own. */
  readonly netns?: string
  /** Milliseconds until it is stopped (default 10,000). */
  readonly timeoutMs?: number
}

/**
 * Applies a ruleset, all or nothing: text in nft(8)'s language, or the object of its JSON schema. Throws LINUX_TOOL with
 * nft's own words, or LINUX_TOOL_MISSING.
 */
export async function applyRuleset(ruleset: string | object, options: NftOptions = {}): Promise<void> {
  const json = typeof ruleset !== 'string'
  await nft(json ? ['-j', '-f', '-'] : ['-f', '-'], json ? JSON.stringify(ruleset) : ruleset, options)
}

/** nft's JSON of the whole ruleset, or of one table given as `inet weft`; of named sets without the `elements` unless asked. */
export async function listRuleset(
  options: NftOptions & { readonly table?: string; readonly elements?: boolean } = {},
): Promise<unknown> {
  const { table, elements = false } = options
  if (table !== undefined && !/^[a-z0-9]+ [A-Za-z0-9_.-]+$/.test(table))
    throw badArgument(`table ${JSON.stringify(table)}`)
  const what = table === undefined ? ['ruleset'] : ['table', ...table.split(' ')]
  return JSON.parse(await nft(['-j', ...(elements ? [] : ['-t']), 'list', ...what], '', options))
}

/** nft's JSON of a named set with its elements, which has to be there. */
export async function listSet(family: string, table: string, set: string, options: NftOptions = {}): Promise<unknown> {
  for (const word of [family, table, set]) if (!/^[A-Za-z0-9_.-]+$/.test(word)) throw badArgument(JSON.stringify(word))
  return JSON.parse(await nft(['-j', 'list', 'set', family, table, set], '', options))
}

/** nft's JSON of every chain with its hook and policy, without rules. */
export async function listChains(options: NftOptions = {}): Promise<unknown> {
  return JSON.parse((await nft(['-j', 'list', 'chains'], '', options)) || '{}')
}

async function nft(args: readonly string[], input: string, options: NftOptions): Promise<string> {
  const enter = options.netns === undefined ? [] : ['nsenter', `--net=${netnsPath(options.netns)}`]
  const tool = Bun.which('nft') ?? ((await Bun.file('/usr/sbin/nft').exists()) ? '/usr/sbin/nft' : undefined)
  if (tool === undefined) {
    throw new LinuxError('LINUX_TOOL_MISSING', 'nft is not installed', { remedy: 'run: apt-get install nftables' })
  }
  const { timeoutMs: timeout = 10_000 } = options
  const child = Bun.spawn([...enter, tool, ...args], {
    stdin: new TextEncoder().encode(input),
    stdout: 'pipe',
    stderr: 'pipe',
    timeout,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  })
  const [output, errors, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  if (status === 0) return output
  if (child.signalCode === 'SIGTERM') {
    throw new LinuxError('LINUX_TOOL', `nft did not end within ${timeout} ms`, {
      syscall: 'nft',
      remedy: 'see what keeps this machine busy',
    })
  }
  throw new LinuxError('LINUX_TOOL', `nft refused the ruleset: ${errors.trim() || `exit status ${status}`}`, {
    syscall: 'nft',
    remedy: 'correct the rule that nft names, or use a kernel with nf_tables and the expressions it needs',
  })
}
