/**
 * Templates of pods in Deployments, ReplicaSets and StatefulSets, and the selectors that have to match them.
 * @module
 */
import type { KubeObject } from '../../../../kube/object.ts'
import type { Cause } from '../../http/status.ts'
import { forbiddenField, goStringMap, invalidAs, required, unsupported } from '../../objects/causes.ts'
import { type Fields, fieldsAt, isFields } from '../../objects/shape.ts'
import { completedPodSpec, isChanged } from './pod.ts'
import { podProblems } from './pod-problems.ts'
import { isEmptySelector, printedSelector, selectorProblems, selects } from './selector.ts'
import { labels, qualifiedName } from './syntax.ts'

/** The spec of a workload with its template completed. */
export function completedTemplate(spec: Fields): Fields {
  const template = fieldsAt(spec, 'template')
  return { ...spec, template: { ...template, spec: completedPodSpec(fieldsAt(template, 'spec')) } }
}

/** In which words a kind is spoken of. */
export interface TemplateWords {
  /** In what an empty selector is told by. */
  readonly empty: string
  /** What is said beside the parts of a selector that are wrong. */
  readonly invalid: string
  /** Whose pods never have a deadline. */
  readonly kind: string
}

/** What is wrong with a selector and its template. */
export function templateProblems(spec: Fields, { empty, invalid, kind }: TemplateWords): readonly Cause[] {
  const selector = spec['selector']
  const found: Cause[] = []
  if (!isFields(selector)) found.push(required('spec.selector'))
  else {
    const wrong = selectorProblems(selector, 'spec.selector')
    if (wrong.length > 0) return [...wrong, invalidAs('spec.selector', printedSelector(selector), invalid)]
    if (isEmptySelector(selector)) {
      found.push(invalidAs('spec.selector', printedSelector(selector), `empty selector is invalid for ${empty}`))
    }
  }
  const given = fieldsAt(spec, 'template', 'metadata', 'labels')
  const isSelected = isFields(selector) && selects(selector, given)
  if (!isSelected) {
    const why = '`selector` does not match template `labels`'
    found.push(invalidAs('spec.template.metadata.labels', goStringMap(given), why))
  }
  return [...found, ...problemsOfTemplate(spec, kind)]
}

function problemsOfTemplate(spec: Fields, kind: string): readonly Cause[] {
  const pod = fieldsAt(spec, 'template', 'spec')
  const metadata = fieldsAt(spec, 'template', 'metadata')
  const found: Cause[] = [
    ...labels('spec.template.labels', fieldsAt(metadata, 'labels')),
    ...Object.keys(fieldsAt(metadata, 'annotations')).flatMap((key) =>
      qualifiedName('spec.template.annotations', key.toLowerCase()),
    ),
    ...podProblems(pod, 'spec.template.spec'),
  ]
  const policy = pod['restartPolicy']
  if (policy === 'OnFailure' || policy === 'Never') {
    found.push(unsupported('spec.template.spec.restartPolicy', policy, ['Always']))
  }
  if (pod['activeDeadlineSeconds'] !== undefined) {
    const why = `activeDeadlineSeconds in ${kind} is not Supported`
    found.push(forbiddenField('spec.template.spec.activeDeadlineSeconds', why))
  }
  return found
}

/** That a selector stays as it is: pods would be lost. */
export function selectorChange(object: KubeObject, before: KubeObject): readonly Cause[] {
  if (!isChanged(object, before, 'spec', 'selector')) return []
  return [invalidAs('spec.selector', printedSelector(fieldsAt(object, 'spec', 'selector')), 'field is immutable')]
}
