/**
 * What a container does before it is asked to end.
 * @module
 */

import type { Container } from '../pod/pod.ts'
import { decodeHttp } from '../pod/probe.ts'
import { type Asked, ask } from '../probe/ask.ts'
import { fields, texts, whole } from '../read.ts'

/** Runs a container's preStop hook, for so many milliseconds at most. Never rejects. */
export async function beforeStop(
  asked: Omit<Asked, 'container'> & { readonly container: Container | undefined },
  patience: number,
): Promise<void> {
  const { container } = asked
  const hook = container?.preStop
  if (container === undefined || hook === undefined || patience === 0) return
  if (hook['sleep'] !== undefined) {
    await Bun.sleep(Math.min(patience, whole(fields(hook['sleep'])['seconds'], 0) * 1000))
    return
  }
  const action =
    hook['exec'] !== undefined
      ? ({ type: 'exec', command: texts(fields(hook['exec'])['command']) } as const)
      : decodeHttp(hook['httpGet'])
  await ask({ ...asked, container }, action, patience)
}
