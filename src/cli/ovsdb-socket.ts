/**
 * Where commands look for this machine's Open vSwitch.
 * @module
 */
import { join } from 'node:path'
import { AGENT_DEFAULTS } from '../agent/options.ts'

/** The socket of ovsdb-server, as the tools of Open vSwitch find it. */
export function defaultSocket(): string {
  const folder = process.env['OVS_RUNDIR'] ?? ''
  return folder === '' ? AGENT_DEFAULTS.ovsdb : join(folder, 'db.sock')
}
