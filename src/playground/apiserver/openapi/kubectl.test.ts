import { afterAll, beforeAll, expect, test } from 'bun:test'
import { formats } from '../all-formats.ts'
import { startServer, type TestServer } from '../testing/harness.ts'
import { hasKubectl, kubectl, type Said } from '../testing/kubectl.ts'

/** Needs KUBEBUILDER_ASSETS, the folder of Kubernetes' binaries. */
const real = hasKubectl ? test : test.skip

let api: TestServer

beforeAll(async () => {
  if (hasKubectl) api = await startServer({ tls: true, formats })
})

afterAll(() => api?.stop())

function say(words: string, input = ''): Promise<Said> {
  return kubectl(api, words.split(' '), input)
}

function deployment(image: string): string {
  const containers = [
    { name: 'web', image, ports: [{ containerPort: 80 }] },
    { name: 'log', image: 'log:1' },
  ]
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers } }
  const spec = { replicas: 2, selector: { matchLabels: { app: 'web' } }, template }
  return JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec })
}

const IMAGES = 'jsonpath={.spec.template.spec.containers[*].image}'

real('explain tells fields and their types', async () => {
  const { stdout } = await say('explain deployment.spec.template.spec')
  expect(stdout).toContain('FIELD: spec <PodSpec>')
  expect(stdout).toContain('containers\t<[]Container>')
  expect((await say('explain crd.spec.names')).stdout).toContain('shortNames\t<[]string>')
})

real('apply joins lists by what the schemas say, and diff shows what it would do', async () => {
  expect((await say('apply -f -', deployment('web:1'))).stdout).toBe('deployment.apps/web created\n')
  const patch = JSON.stringify({ spec: { template: { spec: { containers: [{ name: 'log', image: 'log:2' }] } } } })
  expect((await say(`patch deployment web -p ${patch}`)).stdout).toBe('deployment.apps/web patched\n')
  expect((await say('diff -f -', deployment('web:2'))).stdout).toMatch(/^\+ .*image: web:2$/m)
  expect((await say('apply -f -', deployment('web:2'))).stdout).toBe('deployment.apps/web configured\n')
  expect((await say('apply -f -', deployment('web:2'))).stdout).toBe('deployment.apps/web unchanged\n')
  expect((await say(`get deployment web -o ${IMAGES}`)).stdout).toBe('web:2 log:1')
  expect((await say('set image deployment/web log=log:3')).stdout).toBe('deployment.apps/web image updated\n')
  expect((await say(`get deployment web -o ${IMAGES}`)).stdout).toBe('web:2 log:3')
})

real('a custom resource is explained, shown and checked by its definition', async () => {
  const size = { type: 'integer', minimum: 1, description: 'How large.' }
  const schema = {
    openAPIV3Schema: {
      type: 'object',
      properties: { spec: { type: 'object', required: ['size'], properties: { size } } },
    },
  }
  const additionalPrinterColumns = [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }]
  const versions = [{ name: 'v1', served: true, storage: true, schema, additionalPrinterColumns }]
  const names = { kind: 'Thing', plural: 'things' }
  const spec = { group: 'test.example', scope: 'Namespaced', names, versions }
  const metadata = { name: 'things.test.example' }
  const crd = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata, spec }
  expect((await say('apply -f -', JSON.stringify(crd))).stdout).toContain(' created\n')
  expect((await say('label crd things.test.example a=b')).stdout).toContain(' labeled\n')
  expect((await say('patch crd things.test.example -p {"metadata":{"labels":{"c":"d"}}}')).stdout).toContain(
    ' patched\n',
  )
  const thing = (fields: object) =>
    JSON.stringify({ apiVersion: 'test.example/v1', kind: 'Thing', metadata: { name: 't' }, spec: fields })
  expect((await say('create -f -', thing({ size: 3, sze: 4 }))).stderr).toContain('unknown field "spec.sze"')
  expect((await say('create -f -', thing({ size: 0 }))).stderr).toContain('should be greater than or equal to 1')
  expect((await say('create -f -', thing({ size: 3 }))).stdout).toBe('thing.test.example/t created\n')
  expect((await say('get things')).stdout).toBe('NAME   SIZE\nt      3\n')
  expect((await say('explain thing.spec')).stdout).toContain('size\t<integer> -required-')
  expect((await say('patch thing t --type=strategic -p {}')).code).toBe(1)
})
