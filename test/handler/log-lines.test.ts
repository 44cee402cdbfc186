import { describe, expect, it } from 'vitest'
import { XnatError } from '../../lib/errors.ts'
import { createLogger, errorFields, type LogFields } from '../../lib/log.ts'

function logged(fields: LogFields) {
  const lines: string[] = []
  createLogger({ level: 'info', write: (line) => lines.push(line), now: () => new Date(0) }).info(
    'something done',
    fields,
  )
  return lines.map((line) => JSON.parse(line))
}

describe('a log line', () => {
  it('is one line of JSON with a constant message and facts', () => {
    expect(logged({ deliveryId: 'd', files: 3 })).toEqual([
      { time: '1970-01-01T00:00:00.000Z', level: 'info', message: 'something done', deliveryId: 'd', files: 3 },
    ])
  })

  it('carries no field that is not on the list, whatever the types were made to believe', () => {
    const smuggled: LogFields = JSON.parse(
      '{"files":1,"patientName":"SMITH^JOHN","email":"a@b.c","key":"projects/..."}',
    )
    expect(logged(smuggled)).toEqual([expect.not.objectContaining({ patientName: expect.anything() })])
    expect(JSON.stringify(logged(smuggled))).not.toMatch(/SMITH|a@b|projects/)
  })

  it('says of an error its code and ids, never what XNAT or the system said', () => {
    const xnat = new XnatError({
      code: 'XNAT_CONFLICT',
      method: 'PUT',
      pathTemplate: '/data/projects/{projectId}',
      status: 409,
      detail: 'label SMITH in use',
      context: { experimentId: 'X_E1' },
    })
    const system = new Error("ENOENT: no such file 'SMITH.dcm'")

    expect(errorFields(xnat)).toEqual({
      code: 'XNAT_CONFLICT',
      retry: 'never',
      errorName: 'XnatError',
      experimentId: 'X_E1',
    })
    expect(errorFields(system)).toMatchObject({ code: 'UNEXPECTED', errorName: 'Error' })
    expect(JSON.stringify([errorFields(xnat), errorFields(system)])).not.toContain('SMITH')
  })

  it('says where an error comes from, and nothing that only looks so or that a server called it', () => {
    const error = new TypeError('no SMITH\n    at SMITH (a.ts:1:1)')
    expect(errorFields(error)).toMatchObject({
      errorName: 'TypeError',
      stack: expect.stringMatching(/^ {4}at .*log-lines/),
    })
    expect(JSON.stringify(errorFields(error))).not.toContain('SMITH')

    const renamed = Object.assign(new Error('SMITH\n    at SMITH (a.ts:1:1)'), { name: 'SMITH' })
    expect(renamed.stack).toContain('SMITH')
    renamed.message = 'another'
    expect(errorFields(renamed)).toEqual({ code: 'UNEXPECTED', errorName: 'Error', stack: undefined })
  })

  it('is left out below the level, and carries what its logger was bound to', () => {
    const lines: string[] = []
    const log = createLogger({ level: 'warn', write: (line) => lines.push(line) }).with({ requestId: 'r' })
    log.info('quiet')
    log.warn('loud')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ message: 'loud', requestId: 'r' }])
  })
})
