import { afterAll, beforeAll, expect, test } from 'bun:test'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { formats } from '../all-formats.ts'
import { startServer, type TestServer } from '../testing/harness.ts'
import { hasKubectl, kubectl, type Said } from '../testing/kubectl.ts'
import { processRuntime } from '../testing/process-runtime.ts'

/** Needs KUBEBUILDER_ASSETS, the folder of Kubernetes' binaries. */
const real = hasKubectl ? test : test.skip

let api: TestServer

beforeAll(async () => {
  if (hasKubectl) api = await startServer({ tls: true, formats, runtime: processRuntime() })
})

afterAll(() => api?.stop())

function say(words: string, input = ''): Promise<Said> {
  return kubectl(api, words.split(' '), input)
}

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, labels: {a: b}}\ndata: {k: v}\n'
const CREATE = 'create -f -'

real('create, get, change, delete', async () => {
  expect(await say(CREATE, CONFIG_MAP)).toEqual({ code: 0, stdout: 'configmap/c created\n', stderr: '' })
  expect((await say(CREATE, CONFIG_MAP)).stderr).toContain('Error from server (AlreadyExists)')
  expect((await say('get configmaps c -o jsonpath={.data.k}')).stdout).toBe('v')
  expect((await say('get configmaps -l a=b -o name')).stdout).toBe('configmap/c\n')
  expect((await say('get configmaps -l a!=b -o name')).stdout).toBe('')
  expect((await say('label configmap c x=y')).stdout).toBe('configmap/c labeled\n')
  expect((await say('annotate configmap c x=y')).stdout).toBe('configmap/c annotated\n')
  expect((await say('apply -f -', CONFIG_MAP.replace('k: v', 'k: w'))).stdout).toBe('configmap/c configured\n')
  expect((await say('apply -f -', CONFIG_MAP.replace('k: v', 'k: w'))).stdout).toBe('configmap/c unchanged\n')
  expect((await say('replace -f -', CONFIG_MAP)).stdout).toBe('configmap/c replaced\n')
  expect((await say('delete configmap c')).stdout).toBe('configmap "c" deleted\n')
  expect((await say('get configmap c')).stderr).toBe('Error from server (NotFound): configmaps "c" not found\n')
})

real('server-side apply is refused in a sentence', async () => {
  expect((await say('apply --server-side -f -', CONFIG_MAP)).stderr).toContain('no server-side apply')
})

real('watch and wait', async () => {
  const waiting = say('wait --for=create configmap/late --timeout=20s')
  const watching = kubectl(api, ['get', 'configmaps', '--watch', '-o', 'name', '--request-timeout=2s'])
  await say(CREATE, CONFIG_MAP.replace('name: c,', 'name: late,'))
  expect((await waiting).stdout).toContain('condition met')
  expect((await watching).stdout).toContain('configmap/late\n')
  const deleting = say('wait --for=delete configmap/late --timeout=20s')
  await say('delete configmap late')
  expect((await deleting).code).toBe(0)
})

real('namespaces with what is in them, scale', async () => {
  await say(CREATE, 'apiVersion: v1\nkind: Namespace\nmetadata: {name: room}\n')
  const deployment =
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, namespace: room}\n' +
    'spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}\n'
  await say(CREATE, deployment)
  expect(await say('scale deployment d -n room --replicas=3')).toMatchObject({
    code: 0,
    stdout: 'deployment.apps/d scaled\n',
  })
  expect((await say('get deployment d -n room -o jsonpath={.spec.replicas}')).stdout).toBe('3')
  expect((await say('delete namespace room')).stdout).toBe('namespace "room" deleted\n')
})

real('exec and logs', async () => {
  const pod =
    'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {nodeName: node, containers: [{name: c, image: i}]}\n'
  await say(CREATE, pod)
  expect(await say('exec p -- echo hi')).toMatchObject({ code: 0, stdout: 'hi\n' })
  expect(await say('exec -i p -- cat', 'typed')).toMatchObject({ code: 0, stdout: 'typed' })
  expect(await kubectl(api, ['exec', 'p', '--', 'sh', '-c', 'exit 7'])).toMatchObject({ code: 7 })
  expect((await say('logs p --tail=1')).stdout).toContain('"tailLines":1')
})

real('what kubectl sends as protobuf, and what it shows as tables', async () => {
  expect((await say('create namespace shown')).stdout).toBe('namespace/shown created\n')
  expect((await say('create deployment web --image=web --replicas=2 -n shown')).stdout).toBe(
    'deployment.apps/web created\n',
  )
  expect((await say('create configmap c --from-literal=a=b -n shown')).stdout).toBe('configmap/c created\n')
  expect((await say('expose deployment web --port=80 -n shown')).stdout).toBe('service/web exposed\n')
  expect((await say('get deploy,svc -n shown')).stdout).toMatch(
    /deployment.apps\/web +0\/2[\s\S]+service\/web +ClusterIP +10\.96\./,
  )
  expect((await say('get ns')).stdout).toMatch(/^NAME +STATUS +AGE\n/)
  const typo = CONFIG_MAP.replace('name: c,', 'name: typo,').replace('\ndata:', '\ndat:')
  expect(await say(CREATE, typo)).toMatchObject({ code: 0, stderr: 'Warning: unknown field "dat"\n' })
  expect((await say('auth can-i create pods')).stdout).toBe('yes\n')
  expect((await say('auth whoami')).stdout).toContain('admin')
  expect((await say('describe deployment web -n shown')).stdout).toContain('web')
  expect((await say('explain pod.spec')).stdout).toContain('containers')
  expect((await say('set image deployment/web web=other -n shown')).stdout).toContain('image updated')
  expect((await say('patch deployment web -n shown -p {"spec":{"replicas":5}}')).stdout).toContain('patched')
  expect((await say('get deployment web -n shown -o jsonpath={.metadata.generation}')).stdout).toBe('3')
  expect((await say('delete ns shown')).code).toBe(0)
})

const NETWORK_POLICY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress:
    - from: [{namespaceSelector: {matchLabels: {team: shop}}}, {ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.1/32]}}]
      ports: [{port: 80, protocol: TCP}, {port: http, protocol: UDP}]
`

real(
  'network policies',
  async () => {
    expect((await say('apply -f -', NETWORK_POLICY)).stdout).toBe('networkpolicy.networking.k8s.io/web created\n')
    expect((await say('apply -f -', NETWORK_POLICY)).stdout).toBe('networkpolicy.networking.k8s.io/web unchanged\n')
    expect((await say('get netpol')).stdout).toMatch(/^NAME +POD-SELECTOR +AGE\nweb +app=web +\d+s\n$/)
    const { stdout } = await say('describe networkpolicy web')
    for (const words of ['Allowing ingress traffic', 'To Port: http/UDP', 'team=shop', 'Except: 192.0.2.1/32']) {
      expect(stdout).toContain(words)
    }
    expect(stdout).toContain('Policy Types: Ingress')
    const more = NETWORK_POLICY.replace('port: 80', 'port: 80, endPort: 90')
    expect((await say('apply -f -', more)).stdout).toContain('configured')
    expect((await say('get netpol web -o jsonpath={.spec.ingress[0].ports[0]}')).stdout).toBe(
      '{"endPort":90,"port":80,"protocol":"TCP"}',
    )
    expect((await say('apply -f -', NETWORK_POLICY.replace('port: 80', 'port: 0'))).stderr).toContain(
      'between 1 and 65535',
    )
    expect((await say('explain networkpolicy.spec.ingress.from')).stdout).toContain('ipBlock')
    expect((await say('delete netpol web')).stdout).toBe('networkpolicy.networking.k8s.io "web" deleted\n')
  },
  30_000,
)

real('the kubeconfig is its owner’s alone', async () => {
  expect(statSync(join(api.dir, 'kubeconfig')).mode & 0o777).toBe(0o600)
  expect(statSync(api.dir).mode & 0o777).toBe(0o700)
})
