/**
 * What preparing an object of a kind is made of.
 * @module
 */
import type { KubeObject } from '../../../../kube/object.ts'
import type { Cause } from '../../http/status.ts'

/** How a kind's objects are completed and judged. They are given values of the API's types. */
export interface Preparation {
  /** Fills in defaults. */
  complete?(object: KubeObject, before: KubeObject | undefined): KubeObject
  /** What is wrong with a completed object. */
  problems?(object: KubeObject): readonly Cause[]
  /** What is wrong with a change of one. */
  changeProblems?(object: KubeObject, before: KubeObject): readonly Cause[]
}
