import type { Command } from 'commander'
import { InsightError } from '../../insight/errors.ts'
import { printStatus } from '../../insight/status/print.ts'
import { clusterStatus, type MeshSummary } from '../../insight/status/status.ts'
import type { ClusterView } from '../../insight/view.ts'
import { MESH_FOLDER, readRecord } from '../../mesh/record.ts'
import { isWhole, meshStatus } from '../../mesh/status.ts'
import { EXIT } from '../exit-codes.ts'
import { type InsightOptions, lookAt, printJson, printLines, withInsightOptions } from '../insight.ts'
import { outputLook } from '../look.ts'
import { defaultSocket } from '../ovsdb-socket.ts'

interface Options extends InsightOptions {
  readonly nodes?: boolean
}

/** `weft status`: cluster, nodes, tenants and pods at a glance. */
export function registerStatus(program: Command): void {
  withInsightOptions(
    program
      .command('status')
      .summary('nodes, tenants and pods at a glance')
      .description(
        'Asks every agent on this machine about its node: ready or waiting for what, address ranges and how full they ' +
          'are, peers, MTU, pods and flows; and lists the virtual networks with their namespaces and pods. On a machine of ' +
          'a mesh of Docker hosts: how many of the others are up.',
      )
      .option('--nodes', 'tell more about each node instead of listing tenants'),
  )
    .addHelpText('after', HELP)
    .action(runStatus)
}

const HELP = `
Exit codes: 0 everything is ready, 1 something is not, 3 no agent answers.

Examples:
  weft status
  weft status --nodes
  weft status --json | jq '.nodes[] | select(.state != "ready")'`

async function runStatus(options: Options): Promise<void> {
  const mesh = await ownMesh(options)
  const status = clusterStatus(await viewOf(options, mesh), mesh)
  if (options.json === true) printJson(status)
  else printLines(printStatus(status, options.nodes === true, Date.now() / 1000, outputLook()))
  process.exitCode = status.ready ? EXIT.ok : EXIT.failed
}

/** A machine of a mesh without an agent has nothing else to show. */
async function viewOf(options: Options, mesh: MeshSummary | undefined): Promise<ClusterView> {
  try {
    return (await lookAt(options)).view
  } catch (error) {
    const isAlone = error instanceof InsightError && error.code === 'INSIGHT_AGENT_NOT_RUNNING'
    if (mesh !== undefined && isAlone) return { nodes: [], silent: [], registry: undefined }
    throw error
  }
}

/** The part of a mesh that is kept in this folder, or was. */
async function ownMesh({ runDir = MESH_FOLDER }: Options): Promise<MeshSummary | undefined> {
  if (readRecord(runDir) === undefined) return undefined
  const status = await meshStatus({ ovsdb: defaultSocket(), folder: runDir })
  const { host, peers } = status
  return { host, peers: peers.length, up: peers.filter(({ state }) => state === 'up').length, isWhole: isWhole(status) }
}
