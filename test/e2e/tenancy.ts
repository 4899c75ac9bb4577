/**
 * Who reaches whom, before and after join, isolate and global; what happens to standing connections.
 * @module
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { Lab } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'
import { expectCut, expectStanding, openStream, type Stream } from '../lab/stream.ts'

export const tenancy: Scenario = {
  name: 'tenancy',
  lab: {},
  steps: [
    {
      title: 'tenants are isolated from each other, and the global namespace from nobody',
      run: (context) => table(context),
    },
    {
      title: 'join lets a namespace into the tenant of another',
      run: async (context) => {
        await accepted(context, 'join', 'bank', '--to', 'shop')
        await table(context)
        await pairs(context.lab, 'bank', 'shop', true)
      },
    },
    { title: 'isolate cuts standing TCP streams, and no others', run: isolate },
    {
      title: 'the table after isolate',
      run: async (context) => {
        await table(context)
        await pairs(context.lab, 'bank', 'shop', false)
      },
    },
    {
      title: 'global lets a namespace reach all, and isolate takes that back',
      run: async (context) => {
        await accepted(context, 'global', 'bank')
        await table(context)
        await pairs(context.lab, 'bank', 'shop', true)
        await accepted(context, 'isolate', 'bank')
        await table(context)
        await pairs(context.lab, 'bank', 'shop', false)
      },
    },
    { title: 'wrong requests are refused with the reason', run: refusals },
  ],
}

/** The whole table, measured: every cell is as the model says. */
async function table({ lab, say }: StepContext): Promise<void> {
  const { code, stdout, stderr } = await lab.play('table')
  say(stdout.trimEnd())
  equal(code, 0, stdout + stderr)
}

/** Whether the table has these namespaces reach each other. */
async function pairs(lab: Lab, a: string, b: string, reach: boolean): Promise<void> {
  const { stdout } = await lab.play('table', '--json')
  const { cells } = JSON.parse(stdout) as { readonly cells: readonly Cell[] }
  const between = cells.filter(
    ({ kind, from, to }) =>
      kind === 'pod-pod' &&
      [from, to].some((pod) => pod.startsWith(`${a}/`)) &&
      [from, to].some((pod) => pod.startsWith(`${b}/`)),
  )
  ok(between.length > 0)
  deepEqual(new Set(between.flatMap(({ probes }) => probes.map(({ reached }) => reached))), new Set([reach]))
}

interface Cell {
  readonly kind: string
  readonly from: string
  readonly to: string
  readonly probes: readonly { readonly reached: boolean }[]
}

async function accepted({ lab, say }: StepContext, ...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await lab.tenant(...args)
  say(`$ weft tenant ${args.join(' ')}\n${(stdout + stderr).trimEnd()}`)
  equal(code, 0, stdout + stderr)
}

async function isolate(context: StepContext): Promise<void> {
  const { lab, say } = context
  const doomed = await Promise.all([
    stream(lab, 'shop/web', 'bank/vault', 4, 9001),
    stream(lab, 'bank/teller', 'shop/web', 6, 9002),
    stream(lab, 'shop/cart', 'bank/ledger', 4, 9003),
  ])
  const standing = await Promise.all([
    stream(lab, 'shop/web', 'shop/db', 4, 9004),
    stream(lab, 'bank/ledger', 'bank/vault', 6, 9005),
    stream(lab, 'default/monitor', 'bank/teller', 4, 9006),
  ])
  try {
    await Bun.sleep(500)
    const asked = performance.now()
    await accepted(context, 'isolate', 'bank')
    await expectCut(doomed, asked, say)
    await expectStanding(standing, say)
  } finally {
    for (const each of [...doomed, ...standing]) each.close()
  }
}

function stream(lab: Lab, from: string, to: string, family: 4 | 6, port: number): Promise<Stream> {
  const target = { fd: lab.fd(lab.netns(to)), address: lab.address(to, family), port }
  return openStream(`${from} → ${to} IPv${family}`, { fd: lab.fd(lab.netns(from)) }, target)
}

const REFUSED: readonly (readonly [args: readonly string[], reason: RegExp])[] = [
  [['join', 'bank', '--to', 'nowhere'], /nowhere/],
  [['join', 'bank', '--to', 'bank'], /itself|own/],
  [['isolate', 'default'], /default/],
  [['isolate', 'nowhere'], /nowhere/],
]

async function refusals({ lab, say }: StepContext): Promise<void> {
  const before = (await lab.tenant('list', '--json')).stdout
  for (const [args, reason] of REFUSED) {
    const { code, stdout, stderr } = await lab.tenant(...args)
    say(`$ weft tenant ${args.join(' ')}\n${(stdout + stderr).trimEnd()} (exit ${code})`)
    equal(code, 1)
    match(stdout + stderr, reason)
  }
  equal((await lab.tenant('list', '--json')).stdout, before)
}

if (import.meta.main) await runScenario(tenancy)
