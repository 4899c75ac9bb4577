/**
 * `npm run bench`: measures Weft beside Debian's `bridge` + `host-local` in the same run on the same machine, and prints
 * ratios against targets. Numbers are told, never asserted.
 * @module
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { measureAddDel, measureDense } from './measure/add-del.ts'
import { measureFabricScale } from './measure/fabric-scale.ts'
import { measureFabrics } from './measure/fabrics.ts'
import { measureFlannel } from './measure/flannel.ts'
import { measureBundles } from './measure/flows.ts'
import { measureIpam } from './measure/ipam.ts'
import { measureMemory } from './measure/memory.ts'
import { measureMesh } from './measure/mesh.ts'
import { measureOpenStack } from './measure/openstack.ts'
import { fill, measureParallel } from './measure/parallel.ts'
import { measurePlanCost } from './measure/plan-cost.ts'
import { measurePolicyScale } from './measure/policy-scale.ts'
import { measurePolicyTraffic } from './measure/policy-traffic.ts'
import { measurePools } from './measure/pools.ts'
import { measureRestart } from './measure/restart.ts'
import { measureScale } from './measure/scale.ts'
import { measureStartup } from './measure/startup.ts'
import { measureSwap } from './measure/swap.ts'
import { type Judged, judge, type Result } from './result.ts'
import { clearLeftovers, clearRun, markRun } from './rig/leftovers.ts'
import { isBuilt, PEER_PLUGIN } from './rig/program.ts'
import { Rig } from './rig/rig.ts'
import type { Effort } from './rig/talk.ts'
import { formatNotes, formatTable } from './table.ts'

const USAGE = `npm run bench -- [options] [NAME...]
  NAME           only these: NAMES
  --only NAME    the same
  --quick        fewer rounds and smaller sizes
  --source       run the agent from source, not dist/weft
  --json         print JSON instead of the table
  --run-dir DIR  where the rig keeps its things (default /run/weft-bench)`

/** Local pods of a full node. */
const DENSE = 250

interface Options {
  readonly quick: boolean
  readonly source: boolean
  readonly only: readonly string[]
}

/** A measurement; those with a rig run in this order on one rig, since some leave their pods standing. */
interface Measurement {
  readonly name: string
  readonly run: (rig: Rig, options: Options) => Promise<readonly Result[]> | readonly Result[]
  readonly alone?: true
  /** Takes minutes: only when it is asked for. */
  readonly long?: true
}

const MEASUREMENTS: readonly Measurement[] = [
  { name: 'startup', alone: true, run: (_rig, { quick, source }) => measureStartup(quick ? 20 : 100, source) },
  { name: 'add-del', run: (rig, { quick }) => measureAddDel(rig, quick ? 30 : 100) },
  { name: 'parallel', run: (rig, { quick }) => measureParallel(rig, quick ? 1 : 3) },
  { name: 'bundles', run: (rig, { quick }) => measureBundles(rig, quick ? 5 : 15) },
  { name: 'policy-scale', run: (rig, { quick }) => measurePolicyScale(rig, quick) },
  {
    name: 'policy-traffic',
    run: (rig, { quick }) =>
      measurePolicyTraffic(
        rig,
        quick ? 1 : 3,
        quick ? { streamMs: 500, roundTrips: 200, connects: 50 } : { streamMs: 2000, roundTrips: 2000, connects: 300 },
      ),
  },
  { name: 'restart', run: (rig, { quick }) => measureRestart(rig, quick ? 2 : 5) },
  {
    name: 'dense',
    run: async (rig, { quick }) => {
      await fill(rig, DENSE)
      return measureDense(rig, quick ? 15 : 50, DENSE)
    },
  },
  {
    name: 'memory',
    run: async (rig, { quick, only }) => {
      if (only.length > 0 && !only.includes('dense')) await fill(rig, DENSE)
      return measureMemory(rig, DENSE, quick ? 1000 : 10_000)
    },
  },
  { name: 'swap', run: (rig, { quick }) => measureSwap(rig, quick ? 20_000 : 100_000) },
  { name: 'plan', alone: true, run: (_rig, { quick }) => measurePlanCost(quick) },
  {
    name: 'ipam',
    alone: true,
    run: async (_rig, { quick }) => [...measureIpam(quick), ...(await measurePools(quick))],
  },
  {
    name: 'flannel',
    alone: true,
    long: true,
    run: (_rig, { quick }) => measureFlannel(effortOf(quick)),
  },
  {
    name: 'mesh',
    alone: true,
    long: true,
    run: (_rig, { quick }) => measureMesh(effortOf(quick)),
  },
  {
    name: 'fabrics',
    alone: true,
    long: true,
    run: (_rig, { quick }) => measureFabrics(effortOf(quick)),
  },
  { name: 'openstack', long: true, run: (rig, { quick }) => measureOpenStack(rig, quick ? 1 : 4) },
  { name: 'fabric-scale', alone: true, long: true, run: (_rig, { quick }) => measureFabricScale(quick) },
  {
    name: 'scale',
    alone: true,
    long: true,
    run: ({ layout }, { quick, source }) => measureScale(layout.runDir, quick, source),
  },
]

/** The table of every way between machines. */
const ALL_FABRICS = { name: 'all-fabrics', stands: ['fabrics', 'flannel', 'mesh'] } as const

/** Of measurements between two machines. */
function effortOf(quick: boolean): Effort {
  return quick ? { rounds: 1, pings: 60, streamSeconds: 1 } : { rounds: 3, pings: 300, streamSeconds: 5 }
}

/** What the peer that Debian does not have was seen at elsewhere. */
const ELSEWHERE =
  'ovs-cni is not in Debian and was not measured here. Published elsewhere: ADD 56 ms, 675 ms with 250 pods on the ' +
  'node, 36 pods/s at 16 at a time. No ratio against it is claimed.'

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean', default: false },
      source: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      'run-dir': { type: 'string', default: '/run/weft-bench' },
    },
  })
  const names = [...MEASUREMENTS.map(({ name }) => name), ALL_FABRICS.name]
  if (values.help) return console.log(USAGE.replace('NAMES', names.join(', ')))
  const asked = [...values.only, ...positionals]
  const only = asked.flatMap((name) => (name === ALL_FABRICS.name ? ALL_FABRICS.stands : name))
  const unknown = only.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new Error(`there is no measurement ${unknown}; there are ${names.join(', ')}`)
  if (!existsSync(PEER_PLUGIN)) throw new Error(`${PEER_PLUGIN} is missing: apt install containernetworking-plugins`)
  const chosen = MEASUREMENTS.filter(({ name, long }) => (only.length === 0 ? long !== true : only.includes(name)))
  const results = await measure(chosen, { quick: values.quick, source: values.source, only }, values['run-dir'])
  const program = isBuilt(values.source) ? 'dist/weft' : 'source'
  if (values.json) console.log(JSON.stringify({ program, quick: values.quick, results }))
  else {
    console.log(
      `\n${formatTable(results)}\n\nours: ${program}. peer: bridge + host-local unless a note says otherwise.`,
    )
    console.log(`${formatNotes(results)}\n- ${ELSEWHERE}`)
  }
}

async function measure(chosen: readonly Measurement[], options: Options, runDir: string): Promise<readonly Judged[]> {
  const rig = new Rig(runDir, options.source)
  const clear = () => rig.stop().finally(() => clearRun())
  const stop = () => void clear().finally(() => process.exit(130))
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const results: Judged[] = []
  try {
    // What an earlier run left when it was killed.
    await rig.stop()
    await clearLeftovers()
    markRun()
    if (chosen.some(({ alone }) => alone !== true)) await rig.start()
    for (const { name, run } of chosen) {
      const started = performance.now()
      try {
        results.push(...(await run(rig, options)).map(judge))
        process.stderr.write(`measured ${name} in ${((performance.now() - started) / 1000).toFixed(1)} s\n`)
      } catch (error) {
        // What was measured before is worth being told.
        process.stderr.write(`bench: ${name} was not measured: ${error instanceof Error ? error.message : error}\n`)
        process.exitCode = 1
      }
    }
    return results
  } finally {
    await clear()
  }
}

await main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
})
