import type { Group, Meter } from '../../flow/flow.ts'
import { OPENFLOW_15 } from './action-codes.ts'
import type { OpenFlowClient } from './client.ts'
import { commitBundle } from './commit-bundle.ts'
import { encodeCtFlush } from './ct-flush.ts'
import { encodeFlowStatsRequest, type FlowFilter } from './flow-mod.ts'
import { type DumpedFlow, decodeFlowStats } from './flow-stats.ts'
import { ALL_GROUPS } from './group-mod.ts'
import { decodeGroupDesc, decodeGroupStats, type GroupStats } from './group-stats.ts'
import { OFPMP, OFPT } from './message-types.ts'
import { ALL_METERS, decodeMeterConfig, decodeMeterStats, encodeMeterMod, type MeterStats } from './meters.ts'
import { encodePacketOut, type PacketOut } from './packet-out.ts'
import { decodePortDescs, type PortDesc } from './port-desc.ts'
import { PORT } from './ports.ts'
import { barrier, messagesOf, multipart, transact } from './requests.ts'
import type { Session } from './session.ts'
import { decodeConfig, decodeTableStats, type TableStats } from './settings.ts'
import { beginMessage, endMessage, type Writer } from './writer.ts'

type Calls = Omit<OpenFlowClient, 'connected' | 'version' | 'setFragments' | 'close'>

const CHUNK = 2000

/** The requests of a client, each on the session that `current` gives; it throws while there is none. */
export function createCalls(current: () => Session): Calls {
  let nextBundle = 1
  const takeBundle = (): number => {
    nextBundle = (nextBundle + 1) >>> 0
    return nextBundle
  }
  const dump = async <T>(
    type: number,
    encodeBody: (w: Writer) => void,
    decode: (bytes: Uint8Array, start: number, version: number, into: T[]) => void,
  ): Promise<T[]> => {
    const session = current()
    const all: T[] = []
    await multipart(session, type, encodeBody, (bytes, start) => decode(bytes, start, session.version, all))
    return all
  }
  const eachFlow = async (filter: FlowFilter, onPart: (flows: DumpedFlow[]) => void): Promise<void> => {
    const session = current()
    const encodeBody = (w: Writer): void => encodeFlowStatsRequest(w, filter)
    await multipart(session, OFPMP.flow, encodeBody, (bytes, start) => {
      const flows: DumpedFlow[] = []
      decodeFlowStats(bytes, start, session.version, flows)
      onPart(flows)
    })
  }
  const nothing = (): void => undefined
  const allGroups = (w: Writer): void => void w.u32(ALL_GROUPS).u32(0)
  const allMeters = (w: Writer): void => void w.u32(ALL_METERS).u32(0)

  return {
    async bundle(change, { confirm = 'before' } = {}) {
      await commitBundle(current(), takeBundle(), messagesOf(change), confirm)
    },
    async bundles(change, size = CHUNK) {
      const messages = messagesOf(change)
      for (let at = 0; at < messages.length; at += size) {
        await commitBundle(current(), takeBundle(), messages.slice(at, at + size))
      }
    },
    async dumpFlows(filter = {}) {
      const all: DumpedFlow[] = []
      await eachFlow(filter, (flows) => {
        for (const flow of flows) all.push(flow)
      })
      return all
    },
    eachFlow,
    dumpGroups: () => dump<Group>(OFPMP.group_desc, describedGroups, decodeGroupDesc),
    groupStats: () =>
      dump<GroupStats>(OFPMP.group, allGroups, (b, start, _v, into) => decodeGroupStats(b, start, into)),
    dumpMeters: () =>
      dump<Meter>(OFPMP.meter_config, allMeters, (b, start, _v, into) => decodeMeterConfig(b, start, into)),
    meterStats: () =>
      dump<MeterStats>(OFPMP.meter, allMeters, (b, start, _v, into) => decodeMeterStats(b, start, into)),
    dumpPorts: () => dump<PortDesc>(OFPMP.port_desc, anyPort, decodePortDescs),
    tableStats: () => dump<TableStats>(OFPMP.table, nothing, (b, start, _v, into) => decodeTableStats(b, start, into)),
    async meters(mods) {
      const session = current()
      await transact(session, mods.length, (w, index, xid) => {
        const mod = mods[index]
        if (mod !== undefined) encodeMeterMod(w, session.version, xid, mod)
      })
    },
    barrier: async () => barrier(current()),
    packetOut: (packet, out) => packetOuts(packet, [out]),
    packetOuts,
    async ctFlush(filter) {
      const session = current()
      await transact(session, 1, (w, _index, xid) => encodeCtFlush(w, session.version, xid, filter))
    },
    async getFragments() {
      const session = current()
      const reply = await session.request((w, xid) => {
        endMessage(w, beginMessage(w, session.version, OFPT.get_config_request, xid))
      })
      return decodeConfig(reply)
    },
  }

  async function packetOuts(packet: Uint8Array, outs: readonly PacketOut[]): Promise<void> {
    const session = current()
    await transact(session, outs.length, (w, index, xid) => {
      const out = outs[index]
      if (out !== undefined) encodePacketOut(w, session.version, xid, packet, out)
    })
  }

  /** From OpenFlow 1.5 on ports and group descriptions are asked for by number; older versions have no body here. */
  function anyPort(w: Writer): void {
    if (current().version >= OPENFLOW_15) w.u32(PORT.any).u32(0)
  }

  function describedGroups(w: Writer): void {
    if (current().version >= OPENFLOW_15) allGroups(w)
  }
}
