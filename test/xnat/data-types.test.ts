import { expect, it } from 'vitest'
import { listDataFields, listDataTypes } from '../../lib/xnat/data-types.ts'
import { startAnswering } from './scripted-xnat.ts'
import { clientOf, startWithSession } from './stand-in.ts'

it('lists the data types of the site with their counts, or those in use', async () => {
  const { client } = await startWithSession()
  const types = await listDataTypes(client)
  expect(types).toContainEqual(expect.objectContaining({ xsiType: 'xnat:mrSessionData', count: 1, isSecured: true }))
  expect(types).toContainEqual(expect.objectContaining({ xsiType: 'xnat:ctSessionData', count: 0 }))
  expect((await listDataTypes(client, { used: true })).map(({ xsiType }) => xsiType)).not.toContain(
    'xnat:ctSessionData',
  )
})

it('asks for readable counts by the presence of a parameter', async () => {
  const row = { ELEMENT_NAME: 'xnat:mrSessionData', SINGULAR: 'MR Session', PLURAL: 'MR Sessions', SECURED: 'false' }
  const xnat = await startAnswering({
    'GET /data/search/elements': { body: { ResultSet: { Result: [{ ...row, COUNT: '' }] } } },
  })
  const client = clientOf({ url: xnat.url, user: 'u', password: 'p' })
  expect(await listDataTypes(client, { readable: true })).toEqual([
    {
      xsiType: 'xnat:mrSessionData',
      singular: 'MR Session',
      plural: 'MR Sessions',
      isSecured: false,
      count: undefined,
    },
  ])
  await listDataTypes(client)
  expect(xnat.calls).toEqual([
    'GET /data/search/elements?format=json&readable=true',
    'GET /data/search/elements?format=json',
  ])
})

it('lists the fields of a data type', async () => {
  const { client } = await startWithSession()
  const fields = await listDataFields(client, 'xnat:subjectData')
  expect(fields).toContainEqual(expect.objectContaining({ fieldId: 'DOB', type: 'date', xsiType: 'xnat:subjectData' }))
})

it('says that a data type is none, and sends nothing that cannot be the name of one', async () => {
  const { xnat, client } = await startWithSession()
  await expect(listDataFields(client, 'xnat:nonsense')).rejects.toMatchObject({ code: 'XNAT_REFUSED', status: 400 })
  xnat.requests.clear()
  for (const bad of ['', 'mrSessionData', 'xnat:a/b', 'xnat:..', 'xnat:a,xnat:b', 'xnat:a\n']) {
    await expect(listDataFields(client, bad)).rejects.toMatchObject({ code: 'UNSAFE_PATH_VALUE' })
  }
  expect(xnat.requests.count()).toBe(0)
})
