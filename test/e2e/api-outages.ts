/**
 * An API server that goes away, comes back, forgets, falls back, dawdles, talks nonsense and refuses. Agents and
 * everybody else of the cluster reach it through proxies; people directly, so that things go on happening meanwhile.
 * `WEFT_E2E_SLOW_SECONDS` says how long it is silent when it is slow (default 4; calls are given up after 60).
 * @module
 */
import { Database } from 'bun:sqlite'
import { deepEqual, equal, ok } from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CHANGE_NETWORK, NET_NAMESPACES } from '../../src/compat/openshift/resources.ts'
import { NAMESPACES, SERVICES } from '../../src/kube/resources.ts'
import { namespaceObject } from '../../src/playground/objects.ts'
import { caughtUp, intact, knows, tenantsEqual, toldProblem } from '../lab/agreement.ts'
import { type ApiProxy, type Fault, throughProxies } from '../lab/api-proxy.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { NONSENSE } from '../lab/nonsense.ts'
import { describeTally, type Pinger, startPinger } from '../lab/pinger.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'
import { addService } from '../lab/services.ts'

/** The daemon is kubelets, scheduler, workloads and DNS. */
const ROLES = ['node1-agent', 'node2-agent', 'node3-agent', 'controller', 'daemon']
const PATIENCE = 40_000
const CUT_OFF: Fault = { kind: 'answer', bytes: () => new Uint8Array() }
/** For how long nothing arrives. */
const SLOW = Number(process.env['WEFT_E2E_SLOW_SECONDS'] ?? 4)

export const apiOutages: Scenario = {
  name: 'outages',
  lab: {},
  steps: [
    { title: 'everybody watches, and packets flow', run: setUp },
    { title: 'cut off, then kill -9 of the API server: changes before and after its return are seen', run: killed },
    { title: 'its history is lost: listed again, what was deleted meanwhile goes', run: historyLost },
    { title: 'its store is an older copy: everybody goes back to it', run: olderCopy },
    { title: `answers in drops, and then for ${SLOW} seconds not at all`, run: slow },
    { title: 'nonsense on the wire is told, and survived', run: nonsense },
    { title: 'a token that is refused, and then accepted again', run: refused },
    { title: 'no packet was lost, nobody was started again, nobody has grown', run: unharmed },
  ],
}

/** The store knows of every collection what it is, and nothing of how it came to be. */
const FORGET = `INSERT OR REPLACE INTO floors
  SELECT DISTINCT collection, (SELECT value FROM meta WHERE name = 'revision') FROM objects`

interface Standing {
  readonly proxies: ReadonlyMap<string, ApiProxy>
  readonly pids: ReadonlyMap<string, number>
  readonly memory: ReadonlyMap<string, number>
  readonly pingers: readonly Pinger[]
}

let standing: Standing | undefined

async function setUp({ lab, say }: StepContext): Promise<void> {
  const proxies = await throughProxies(lab, ROLES)
  await eventually('everybody watches', () => [...proxies.values()].every(({ watches }) => watches.length >= 5))
  await lab.api().create(NAMESPACES, namespaceObject('passing'))
  for (const name of ['kept', 'passing', 'brief']) await service(lab, `shop/${name}`)
  await caughtUp(lab)
  const from = lab.fd(lab.netns('shop/web'))
  standing = {
    proxies,
    pids: new Map(ROLES.map((role) => [role, pidOf(lab, role)])),
    memory: new Map(ROLES.map((role) => [role, memory(lab, role)])),
    pingers: ([4, 6] as const).map((family) => startPinger(from, lab.address('shop/db', family))),
  }
  say([...standing.memory].map(([role, megabytes]) => `${role} ${megabytes} MB`).join(', '))
}

async function killed({ lab, say }: StepContext): Promise<void> {
  disturb(CUT_OFF)
  await toldProblem(lab, say)
  await lab.api().delete(SERVICES, { namespace: 'shop', name: 'passing' })
  await changeNetwork(lab, 'bank', 'join:shop')
  const command = lab.commandOf('api')
  lab.kill('api')
  heal()
  await Bun.sleep(500)
  const returned = performance.now()
  lab.start('api', command)
  // As soon as it answers: before others have come back to it.
  await eventually('the API server answers', () => service(lab, 'shop/new').then(() => true, no))
  say(`the API server answers ${(performance.now() - returned).toFixed(0)} ms after its start`)
  await caughtUp(lab, say)
  ok(await tenantsEqual(lab, 'bank', 'shop'), 'the join that was asked for in the outage was forgotten')
  equal(await knows(lab, 'shop/passing'), false)
  equal(await knows(lab, 'shop/new'), true)
  await intact(lab, say)
}

async function historyLost({ lab, say }: StepContext): Promise<void> {
  disturb(CUT_OFF)
  await lab.api().delete(SERVICES, { namespace: 'shop', name: 'brief' })
  await lab.api().delete(NAMESPACES, { name: 'passing' })
  await changeNetwork(lab, 'bank', 'isolate')
  await whileDown(lab, (path) => {
    const store = new Database(path)
    store.run('DELETE FROM changes')
    store.run(FORGET)
    store.close()
  })
  const before = performance.now()
  heal()
  await caughtUp(lab, say)
  const lists = [...known().proxies].map(([role, { passages }]) => {
    const kinds = passages.filter(({ at, verb }) => at > before && verb === 'list').map(({ resource }) => resource)
    return `${role} ${[...new Set(kinds)].sort().join(' ')}`
  })
  say(`listed again: ${lists.join('; ')}`)
  equal(await knows(lab, 'shop/brief'), false)
  await eventually('the tenant of the deleted namespace is gone', async () => {
    const facts = await Promise.all(lab.nodes().map((index) => lab.agent(index).facts()))
    return facts.every(({ tenants }) => tenants.every(([namespace]) => namespace !== 'passing'))
  })
  await caughtUp(lab)
  ok(!(await tenantsEqual(lab, 'bank', 'shop')))
  await intact(lab, say)
}

async function olderCopy({ lab, say }: StepContext): Promise<void> {
  const copy = join(lab.layout.apiDir, 'copy.sqlite')
  const store = new Database(join(lab.layout.apiDir, 'store.sqlite'))
  store.run('VACUUM INTO ?', [copy])
  const then = revisionIn(store)
  await service(lab, 'shop/younger')
  await lab.api().delete(SERVICES, { namespace: 'shop', name: 'kept' })
  await changeNetwork(lab, 'bank', 'join:shop')
  await lab.change('pod', 'add', 'shop/younger', '--node', 'node2')
  await lab.change('pod', 'delete', 'bank/vault')
  await caughtUp(lab)
  ok(await tenantsEqual(lab, 'bank', 'shop'))
  say(`the copy is of revision ${then}, the store was at ${revisionIn(store)}`)
  store.close()
  await whileDown(lab, (path) => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
    const old = new Database(copy)
    old.run('VACUUM INTO ?', [path])
    old.close()
    rmSync(copy)
  })
  await caughtUp(lab, say)
  equal(await knows(lab, 'shop/younger'), false)
  equal(await knows(lab, 'shop/kept'), true)
  ok(!(await tenantsEqual(lab, 'bank', 'shop')), 'a join that never was is still in force')
  await eventually(
    'pods are those of the copy',
    async () => {
      const names = (await Promise.all(lab.nodes().map((index) => lab.agent(index).facts()))).flatMap(({ leases }) =>
        leases.map(({ endpoint }) => `${endpoint.namespace}/${endpoint.pod}`),
      )
      return names.includes('bank/vault') && !names.includes('shop/younger')
    },
    PATIENCE,
  )
  await intact(lab, say)
}

async function slow({ lab, say }: StepContext): Promise<void> {
  disturb({ kind: 'drip', bytes: 64, every: 5 })
  await changeNetwork(lab, 'bank', 'join:shop')
  await Bun.sleep(1000)
  put({ kind: 'hold' })
  await service(lab, 'shop/slow')
  await changeNetwork(lab, 'bank', 'isolate')
  await Bun.sleep(SLOW * 1000)
  equal(await knows(lab, 'shop/slow'), false)
  heal()
  await caughtUp(lab, say)
  equal(await knows(lab, 'shop/slow'), true)
  ok(!(await tenantsEqual(lab, 'bank', 'shop')))
  await intact(lab, say)
}

async function nonsense({ lab, say }: StepContext): Promise<void> {
  const counts: number[] = []
  for (const [i, proxy] of [...known().proxies.values()].entries()) {
    counts[i] = 0
    const next = (): Fault => {
      const count = counts[i] ?? 0
      counts[i] = count + 1
      return NONSENSE[count % NONSENSE.length]?.fault ?? { kind: 'none' }
    }
    proxy.fault = { kind: 'each', next }
    proxy.cut()
  }
  const told = new Set<string>()
  await eventually('everybody has met all of it', async () => {
    for (const problem of (await lab.agent(1).status()).problems) told.add(problem)
    return counts.every((count) => count >= NONSENSE.length)
  })
  say(`answers to ${ROLES.map((role, i) => `${counts[i]} requests of ${role}`).join(', ')}:`)
  for (const { name } of NONSENSE) say(`  ${name}`)
  for (const problem of told) say(`told as: ${problem}`)
  await toldProblem(lab, say)
  await lab.api().delete(SERVICES, { namespace: 'shop', name: 'slow' })
  await changeNetwork(lab, 'bank', 'join:shop')
  heal()
  await caughtUp(lab, say)
  equal(await knows(lab, 'shop/slow'), false)
  ok(await tenantsEqual(lab, 'bank', 'shop'))
  await changeNetwork(lab, 'bank', 'isolate')
  await caughtUp(lab)
  await intact(lab, say)
}

async function refused({ lab, say }: StepContext): Promise<void> {
  disturb({ kind: 'token' })
  await toldProblem(lab, say)
  await lab.api().delete(SERVICES, { namespace: 'shop', name: 'kept' })
  heal()
  await caughtUp(lab, say)
  equal(await knows(lab, 'shop/kept'), false)
  await intact(lab, say)
}

async function unharmed({ lab, say }: StepContext): Promise<void> {
  const { proxies, pids, memory: before, pingers } = known()
  for (const pinger of pingers) {
    const tally = await pinger.stop()
    say(`ping every 10 ms across nodes, all the time: ${describeTally(tally)}`)
    equal(tally.lost, 0)
  }
  deepEqual(new Map(ROLES.map((role) => [role, pidOf(lab, role)])), pids)
  for (const role of ROLES) {
    const now = memory(lab, role)
    say(`${role}: pid ${pids.get(role)} as before, ${before.get(role)} MB before, ${now} MB now`)
    ok(now < (before.get(role) ?? 0) + 150, `${role} has grown to ${now} MB`)
  }
  for (const proxy of proxies.values()) proxy.close()
}

/** The API server is killed, its store is worked on, and it starts again. */
async function whileDown(lab: Lab, work: (path: string) => void): Promise<void> {
  const command = lab.commandOf('api')
  lab.kill('api')
  await eventually('the API server is dead', () => lab.pidOf('api') === undefined)
  work(join(lab.layout.apiDir, 'store.sqlite'))
  lab.start('api', command)
  await eventually('the API server answers', () =>
    lab
      .api()
      .list(NAMESPACES)
      .then(() => true, no),
  )
}

const no = (): boolean => false

async function changeNetwork(lab: Lab, namespace: string, request: string): Promise<void> {
  const annotations = { [CHANGE_NETWORK]: request }
  await lab.api().patch(NET_NAMESPACES, { name: namespace }, 'merge', { metadata: { annotations } })
}

function service(lab: Lab, name: string): Promise<void> {
  const ports = [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }]
  return addService(lab, name, { selector: { team: 'shop' }, ports })
}

/** A fault for answers under way and requests to come. */
function put(fault: Fault): void {
  for (const proxy of known().proxies.values()) proxy.fault = fault
}

/** A fault from the first byte on: everybody has to connect anew. */
function disturb(fault: Fault): void {
  put(fault)
  for (const proxy of known().proxies.values()) proxy.cut()
}

function heal(): void {
  put({ kind: 'none' })
}

function known(): Standing {
  if (standing === undefined) throw new Error('the set-up failed')
  return standing
}

function pidOf(lab: Lab, role: string): number {
  return lab.pidOf(role) ?? 0
}

/** Resident megabytes of a role's process. */
function memory(lab: Lab, role: string): number {
  const status = readFileSync(`/proc/${pidOf(lab, role)}/status`, 'utf8')
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024)
}

function revisionIn(store: Database): number {
  return store.query<{ value: number }, []>("SELECT value FROM meta WHERE name = 'revision'").get()?.value ?? 0
}

if (import.meta.main) await runScenario(apiOutages)
