/** Where the client reports what a person may want to know; plug a logger in. */
export type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void

export const noLog: Log = () => undefined
