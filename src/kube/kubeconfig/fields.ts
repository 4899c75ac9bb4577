/**
 * Reading what people wrote into a kubeconfig. Errors name the place and never the content: it may be a secret.
 * @module
 */
import { isAbsolute, resolve } from 'node:path'
import { configError, isPem, readPemFile } from '../config.ts'
import { type Fields, isFields } from '../fields.ts'

/** PEM as it stands in the file, or the path of a file that holds it. */
export type PemSource = { readonly pem: string } | { readonly file: string }

/** A text that must be there. Throws `KUBE_CONFIG`. */
export function required(fields: Fields, key: string, where: string): string {
  const text = textOf(fields, key, where)
  if (text === undefined) throw configError(`${where} has no ${key}`, `add ${key}`)
  return text
}

/** A text; undefined when it is absent or empty. Throws `KUBE_CONFIG` for anything else. */
export function textOf(fields: Fields, key: string, where: string): string | undefined {
  const value = fields[key]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw configError(`${key} of ${where} is no text`, 'correct it')
  return value
}

/** A list; empty when it is absent. Throws `KUBE_CONFIG` for anything else. */
export function listOf(fields: Fields, key: string, where: string): readonly unknown[] {
  const value = fields[key] ?? []
  if (!Array.isArray(value)) throw configError(`${key} of ${where} is no list`, 'correct it')
  return value
}

/** An object. Throws `KUBE_CONFIG` for anything else. */
export function fieldsOf(input: unknown, what: string): Fields {
  if (!isFields(input)) throw configError(`${what} is not what a kubeconfig holds there`, 'correct the file')
  return input
}

/** PEM out of `<key>-data` (base64) or the file that `<key>` names. Throws `KUBE_CONFIG` for what is none now. */
export function pemOf(fields: Fields, key: string, where: string, folder: string): PemSource | undefined {
  const data = textOf(fields, `${key}-data`, where)
  const named = textOf(fields, key, where)
  if (data === undefined && named === undefined) return undefined
  if (data === undefined) {
    const file = pathIn(folder, named ?? '')
    readPemFile(file, key)
    return { file }
  }
  const pem = Buffer.from(data, 'base64').toString()
  if (!isPem(pem)) throw configError(`${key} of ${where} is no PEM`, 'correct it')
  return { pem }
}

/** Paths in a kubeconfig are taken from its folder. */
export function pathIn(folder: string, path: string): string {
  return isAbsolute(path) ? path : resolve(folder, path)
}
