/**
 * Making an etcd forget what happened.
 * @module
 */
import { EtcdV2 } from '../../src/etcd/v2.ts'
import { EtcdV3 } from '../../src/etcd/v3.ts'
import type { EtcdServer } from './etcd-server.ts'

/** v2 remembers a thousand changes, v3 what is not compacted. */
export async function clearHistory(server: EtcdServer, api: 'v2' | 'v3'): Promise<void> {
  const space = api === 'v2' ? new EtcdV2(server.config()) : new EtcdV3(server.config())
  let entry = await space.put(`/elsewhere/${crypto.randomUUID()}`, 'x', 'absent')
  const times = api === 'v2' ? 1100 : 5
  for (let i = 0; i < times; i += 1) entry = await space.put(entry.key, 'x', entry.revision)
  if (api === 'v3') await server.etcdctl(3, ['compaction', String(entry.revision)])
  space.close()
}
