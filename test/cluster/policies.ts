/**
 * Policies on a Kubernetes of two nodes: the table of test/tables/policy as objects of a real API server, asked by pods of
 * pods and of services in front of them; the policies of the network policy group and OpenShift's egress firewall;
 * what the tools say; kubelets' probes, a pod's first moment, a standing stream. Prints what it saw. `--kube-proxy` has one
 * on every node, `--fabric direct` or `bgp` leads pods' packets to the other node without a tunnel, `--only <part>` leaves
 * cases out whose names do not have it, `--keep` leaves the rig standing.
 * @module
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ASSETS } from '../kube/control-plane.ts'
import type { E2eCase } from '../tables/policy/e2e.ts'
import { E2E_CASES } from '../tables/policy/e2e-cases.ts'
import { Cluster } from './cluster.ts'
import { patchFabric, showFabric, type Wanted } from './fabric/shown.ts'
import { type Places, placesOf } from './places.ts'
import { showFirewall, useOutsideDns } from './policy/firewall.ts'
import { showFirstMoment } from './policy/first-moment.ts'
import { loadNetImage } from './policy/image.ts'
import { makeIsolated, showIsolated } from './policy/isolated.ts'
import { showStrangePolicy } from './policy/strange.ts'
import { showStreams } from './policy/stream.ts'
import { Table } from './policy/table.ts'
import { TIER_CASES } from './policy/tier-cases.ts'
import { showTools } from './policy/tools.ts'
import { Report } from './report.ts'
import { missing } from './requirements.ts'
import { versionsOf } from './versions.ts'
import { installByManifest, showAudits } from './weft.ts'

/** Who has policies wants them to decide alone. */
const ONE_NETWORK = ['#tenancy: multitenant', 'tenancy: subnet'] as const
/** Kinds of policies that a cluster need not have: all of them are read. */
const KINDS = ['network-policy-api', 'calico'].map((name) => join(import.meta.dir, '../../deploy/crds', name))

const { values } = parseArgs({
  options: {
    'kube-proxy': { type: 'boolean', default: false },
    fabric: { type: 'string', default: 'tunnel' },
    only: { type: 'string', default: '' },
    keep: { type: 'boolean', default: false },
  },
})
const reason = missing(ASSETS)
if (ASSETS === undefined || reason !== undefined) console.log(reason)
else process.exitCode = await main(placesOf(join(tmpdir(), 'weft-cluster-policies'), ASSETS))

async function main(places: Places): Promise<number> {
  const report = new Report()
  for (const line of await versionsOf(places.assets)) console.log(line)
  const rig = new Cluster(places)
  await rig.down()
  try {
    await Cluster.up(places, (line) => console.log(`· ${line}`), { kubeProxy: values['kube-proxy'] })
    useOutsideDns(rig)
    for (const kinds of KINDS) await rig.ask('apply', '-k', kinds)
    await rig.ask('wait', '--for=condition=established', 'crd', '--all', '--timeout=30s')
    const weft = await installByManifest(rig, [ONE_NETWORK])
    const program = await loadNetImage(rig)
    if (values.fabric !== 'tunnel') {
      report.section(`The fabric is ${values.fabric}`)
      const wanted = wantedFabric(values.fabric)
      await patchFabric(rig, wanted, report)
      await showFabric(rig, wanted, report)
    }
    await makeIsolated(rig)
    const table = new Table(rig)
    try {
      report.section('The table')
      for (const one of E2E_CASES.filter(isWanted)) await table.run(one, report)
      report.section('Policies of the whole cluster')
      for (const one of TIER_CASES.filter(isWanted)) await table.run(one, report)
      await table.sumUp(report)
    } finally {
      await table.stop()
    }
    await showStrangePolicy(rig, report)
    await showFirewall(rig, program, report)
    await showTools(rig, report)
    await showStreams(rig, report)
    await showFirstMoment(rig, report)
    await showIsolated(rig, report)
    await showAudits(rig, weft, report)
  } finally {
    if (!values.keep) await rig.down()
  }
  return report.sumUp()
}

function wantedFabric(text: string): Wanted {
  if (text === 'direct' || text === 'bgp') return text
  throw new Error(`--fabric ${text}: tunnel, direct or bgp`)
}

/** `--only ports` */
function isWanted({ name }: E2eCase): boolean {
  return name.includes(values.only)
}
