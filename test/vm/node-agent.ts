/**
 * An agent as a process of its own, in its node's network namespace, with a registry behind a socket:
 * `bun node-agent.ts <node> <folder>`; the folder has `registry.sock` and, below the node's name, Open vSwitch's link `ovs`.
 * @module
 */
import { join } from 'node:path'
import { runAgent } from '../../src/agent/agent.ts'
import { AGENT_DEFAULTS } from '../../src/agent/options.ts'
import { RegistryClient } from '../../src/registry/client.ts'

/** Calls take long in a machine that is emulated. */
const PATIENCE_MS = 120_000

const [node = '', folder = ''] = process.argv.slice(2)
const own = join(folder, node)
const ovs = join(own, 'ovs')
const places = { ovsdb: join(ovs, 'db.sock'), ovsRunDir: ovs, runDir: join(own, 'run'), stateDir: join(own, 'state') }
const registry = new RegistryClient(join(folder, 'registry.sock'), { deadline: PATIENCE_MS, silence: PATIENCE_MS })
const said = (_: object, message: string): void => console.log(`  (${node}: ${message})`)
const log = { debug: () => undefined, info: () => undefined, warn: said, error: said }
const options = { ...AGENT_DEFAULTS, ...places, node, datapath: 'system' } as const
await runAgent(options, registry, log as never, new AbortController().signal)
