/**
 * Questions about oneself: who am I, what may I do. Whoever has a token may do everything.
 * @module
 */
import type { Context } from '../context.ts'
import { ApiError } from '../contract.ts'
import { isFields } from '../objects/shape.ts'
import { json } from './answer.ts'
import { readBody } from './body.ts'
import { methodNotAllowed } from './status.ts'

/** Answers a review; undefined when the path leads to none. Throws ApiError. */
export async function answerReview(
  context: Context,
  request: Request,
  path: string,
  user: string,
): Promise<Response | undefined> {
  const review = REVIEWS.get(path)
  if (review === undefined) return undefined
  if (request.method !== 'POST') throw methodNotAllowed()
  const body = await readQuestion(context, request)
  const { kind, status } = review
  const group = path.split('/').slice(2, 4).join('/')
  const spec = isFields(body) && isFields(body['spec']) ? { spec: body['spec'] } : {}
  return json({ kind, apiVersion: group, metadata: {}, ...spec, status: status(user) }, 201)
}

/** The answer is the same whatever was asked: a question that is not read here is only not repeated in it. */
async function readQuestion({ formats }: Context, request: Request): Promise<unknown> {
  try {
    return await readBody(request, formats)
  } catch (error) {
    if (error instanceof ApiError && error.status === 415) return undefined
    throw error
  }
}

interface Review {
  readonly kind: string
  status(user: string): unknown
}

const ALL = ['*']
const RULES = {
  resourceRules: [{ verbs: ALL, apiGroups: ALL, resources: ALL }],
  nonResourceRules: [{ verbs: ALL, nonResourceURLs: ALL }],
}

const REVIEWS: ReadonlyMap<string, Review> = new Map([
  [
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    { kind: 'SelfSubjectAccessReview', status: () => ({ allowed: true }) },
  ],
  [
    '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
    { kind: 'SelfSubjectRulesReview', status: () => ({ ...RULES, incomplete: false }) },
  ],
  [
    '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    {
      kind: 'SelfSubjectReview',
      status: (user: string) => ({ userInfo: { username: user, groups: ['system:masters', 'system:authenticated'] } }),
    },
  ],
])
