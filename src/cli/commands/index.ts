/**
 * Every command, in the order of the help page. One file per command; a new one is added here.
 * @module
 */
import type { Command } from 'commander'
import { registerAdopt } from './adopt.ts'
import { registerAgent } from './agent.ts'
import { registerAudit } from './audit.ts'
import { registerBandwidth } from './bandwidth.ts'
import { registerBgp } from './bgp.ts'
import { registerBridge } from './bridge.ts'
import { registerController } from './controller.ts'
import { registerDocs } from './docs.ts'
import { registerDoctor } from './doctor.ts'
import { registerDrops } from './drops.ts'
import { registerExplain } from './explain.ts'
import { registerFabric } from './fabric.ts'
import { registerFlannel } from './flannel.ts'
import { registerHealth } from './health.ts'
import { registerHost } from './host.ts'
import { registerIpam } from './ipam.ts'
import { registerMesh } from './mesh.ts'
import { registerMigrate } from './migrate.ts'
import { registerNode } from './node.ts'
import { registerOvn } from './ovn.ts'
import { registerOvnUnderlay } from './ovn-underlay.ts'
import { registerPlay } from './play.ts'
import { registerPolicy } from './policy.ts'
import { registerRegistry } from './registry.ts'
import { registerStatus } from './status.ts'
import { registerTenant } from './tenant.ts'
import { registerTrace } from './trace.ts'

/** Adds a command to the program. */
export type Register = (program: Command) => void

export const COMMANDS: readonly Register[] = [
  registerPlay,
  registerTenant,
  registerHost,
  registerStatus,
  registerFabric,
  registerBgp,
  registerExplain,
  registerTrace,
  registerPolicy,
  registerDrops,
  registerBandwidth,
  registerAudit,
  registerIpam,
  registerDoctor,
  registerAdopt,
  registerBridge,
  registerMesh,
  registerOvn,
  registerOvnUnderlay,
  registerFlannel,
  registerAgent,
  registerController,
  registerHealth,
  registerRegistry,
  registerNode,
  registerMigrate,
  registerDocs,
]
