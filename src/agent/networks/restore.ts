/**
 * What somebody removed of standing pods while no agent was there.
 * @module
 */
import type { Plugins } from '../plugins/plugin.ts'
import { callOf } from './calls.ts'
import type { NetworkRecord } from './record.ts'

/** Has every step of finished attachments put back what is missing of it; tells what failed, and goes on. */
export async function restoreStanding(
  records: Iterable<NetworkRecord>,
  plugins: Plugins,
  failed: (error: unknown, record: NetworkRecord) => void,
): Promise<void> {
  for (const record of records) {
    if (record.isLeaving === true) continue
    for (const one of record.attached) {
      const { result: prevResult } = one
      if (prevResult === undefined) continue
      for (const config of one.plugins) {
        try {
          const call = { ...callOf(record, one), config, prevResult, netnsPath: record.netns }
          await plugins.plugin(String(config['type'])).restore?.(call)
        } catch (error) {
          failed(error, record)
        }
      }
    }
  }
}
