/**
 * The embedded API server's words about custom resources, held against a real kube-apiserver: the same schemas, the
 * same values, the same refusals.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { KubeObject } from '../../src/kube/object.ts'
import { ApiError } from '../../src/playground/apiserver/contract.ts'
import { crdResource } from '../../src/playground/apiserver/crd/index.ts'
import { REFUSED, REFUSED_SCHEMAS } from '../../src/playground/apiserver/crd/testing/cases.ts'
import { definition, resourceWith, thing } from '../../src/playground/apiserver/crd/testing/definitions.ts'
import { REFUSED_RULES, RULED } from '../../src/playground/apiserver/crd/testing/rules.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { eventually } from './process.ts'

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const THINGS = '/apis/test.example/v1/namespaces/default/things?dryRun=All'
/** Every case has a field of its own in one definition. */
const ALL = {
  type: 'object',
  properties: Object.fromEntries([
    ...REFUSED.map(([, schema], index) => [`f${index}f`, schema]),
    ...RULED.map(({ schema }, index) => [`r${index}r`, schema]),
  ]),
}

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const starting = ControlPlane.start(ASSETS)
  beforeAll(async () => {
    const plane = await starting
    expect(await create(plane, CRDS, definition(ALL))).toBeUndefined()
    await eventually(async () => expect(await create(plane, THINGS, thing({}))).toBeUndefined(), 20_000)
  }, 120_000)
  afterAll(async () => (await starting).stop(), 30_000)

  describe('a kube-apiserver says the same of a value', () => {
    for (const [index, [what, , value]] of REFUSED.entries()) {
      test(what, async () => {
        const object = thing({ [`f${index}f`]: value })
        expect(wordsOf(() => resourceWith(ALL).prepare(object, undefined))).toBe(
          (await create(await starting, THINGS, object)) ?? 'stored',
        )
      })
    }
  })

  describe('a kube-apiserver says the same of a rule', () => {
    for (const [index, { what, before, value }] of RULED.entries()) {
      test(what, async () => {
        const plane = await starting
        const object = thing({ [`r${index}r`]: value })
        const old = before === undefined ? undefined : thing({ [`r${index}r`]: before })
        const said = old === undefined ? create(plane, THINGS, object) : change(plane, old, object, `r${index}`)
        expect(wordsOf(() => resourceWith(ALL).prepare(object, old))).toBe((await said) ?? 'stored')
      })
    }

    for (const [what, rule, words] of REFUSED_RULES) {
      test(`refuses one: ${what}`, async () => {
        const list = { type: 'array', maxItems: 5, items: { type: 'object' } }
        const f = { type: 'object', properties: { a: { type: 'string' }, list }, 'x-kubernetes-validations': [rule] }
        const schema = definition({ type: 'object', properties: { f } })
        expect(await create(await starting, `${CRDS}?dryRun=All`, schema)).toContain(words)
      })
    }
  })

  describe('a kube-apiserver says the same of a schema', () => {
    for (const [what, schema] of REFUSED_SCHEMAS) {
      test(what, async () => {
        const said = await create(await starting, `${CRDS}?dryRun=All`, definition(schema))
        expect(wordsOf(() => crdResource.prepare(definition(schema), undefined))).toBe(said ?? 'stored')
      })
    }
  })
}

/** What is said to a change of an object that is there, under whose name it is told. */
async function change(plane: ControlPlane, before: KubeObject, after: KubeObject, name: string) {
  const path = THINGS.replace('?dryRun=All', '')
  expect(await create(plane, path, { ...before, metadata: { name } })).toBeUndefined()
  const words = await send(plane, `${path}/${name}`, { ...after, metadata: { name } }, 'PATCH')
  return words?.replace(`"${name}"`, '"x"')
}

function create(plane: ControlPlane, path: string, object: KubeObject): Promise<string | undefined> {
  return send(plane, path, object, 'POST')
}

/** The message of the refusal; undefined when there is none. */
async function send(plane: ControlPlane, path: string, object: KubeObject, method: 'POST' | 'PATCH') {
  const { ca, server } = plane.config()
  const type = method === 'POST' ? 'application/json' : 'application/merge-patch+json'
  const headers = { authorization: `Bearer ${plane.token}`, 'content-type': type }
  const tls = ca === undefined ? {} : { ca }
  const answer = await fetch(`${server}${path}`, { method, headers, tls, body: JSON.stringify(object) })
  const body = (await answer.json()) as { readonly message?: string }
  return answer.ok ? undefined : (body.message ?? `status ${answer.status}`)
}

function wordsOf(work: () => unknown): string {
  try {
    work()
    return 'stored'
  } catch (error) {
    if (error instanceof ApiError) return error.message
    throw error
  }
}
