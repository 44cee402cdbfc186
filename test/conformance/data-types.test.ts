// What a client learns of the data model: SchemaApi.java, SearchElementListResource.java, SearchFieldListResource.java.
import { XMLParser } from 'fast-xml-parser'
import { describe, expect } from 'vitest'
import { test, testFacts } from './facts.ts'

describe('schemas', () => {
  test('SchemaApi.java: every listed schema is there and declares types of its own', async ({ site }) => {
    const names = (await site.send('GET /xapi/schemas')).json()
    expect(names).toContain('xnat')
    for (const name of names as string[]) {
      const { status, headers, text } = await site.send(`GET /xapi/schemas/${name}`)
      expect(status, name).toBe(200)
      expect(headers['content-type'], name).toMatch(/^application\/xml/)
      expect(complexTypes(text).length, name).toBeGreaterThan(0)
    }
  })

  test('SchemaApi.java: a type extends another, up to the experiment', async ({ site }) => {
    const types = complexTypes((await site.send('GET /xapi/schemas/xnat')).text)
    const baseOf = (name: string) =>
      types.find((type) => type['@name'] === name)?.['xs:complexContent']?.['xs:extension']['@base']
    expect(['mrSessionData', 'imageSessionData', 'subjectAssessorData', 'experimentData'].map(baseOf)).toEqual([
      'xnat:imageSessionData',
      'xnat:subjectAssessorData',
      'xnat:experimentData',
      undefined,
    ])
  })

  testFacts([
    {
      fact: 'SchemaApi.java: an unknown schema is 404, and all of it needs a login',
      steps: [
        { send: 'GET /xapi/schemas/nonsense', status: 404, text: /^Unable to find requested file or resource:/ },
        { send: 'GET /xapi/schemas', as: 'nobody', status: 401 },
      ],
    },
  ])
})

describe('search elements', () => {
  test('SearchElementListResource.java: data types are listed with how many records there are', async ({ site }) => {
    const rows = (await site.send('GET /data/search/elements')).rows()
    const mr = rows.find((row) => row['ELEMENT_NAME'] === 'xnat:mrSessionData')
    expect(mr).toMatchObject({ SECURED: 'true', COUNT: expect.stringMatching(/^[1-9]\d*$/) })
    const used = (await site.send('GET /data/search/elements?used=true')).rows().map((row) => row['ELEMENT_NAME'])
    expect(used).toEqual(expect.arrayContaining(['xnat:projectData', 'xnat:subjectData', 'xnat:mrSessionData']))
    expect(used.length).toBeLessThan(rows.length)
  })

  test('SearchFieldListResource.java: the fields of a type, or of several', async ({ site }) => {
    const fields = (await site.send('GET /data/search/elements/xnat:subjectData,xnat:mrSessionData')).rows()
    expect(fields).toContainEqual(
      expect.objectContaining({ FIELD_ID: 'DOB', TYPE: 'date', ELEMENT_NAME: 'xnat:subjectData' }),
    )
    expect(fields).toContainEqual(
      expect.objectContaining({ FIELD_ID: 'DCMACCESSIONNUMBER', ELEMENT_NAME: 'xnat:mrSessionData' }),
    )
  })

  testFacts([
    {
      fact: 'SearchFieldListResource.java: an unknown type is 400',
      steps: [{ send: 'GET /data/search/elements/xnat:nonsense', status: 400 }],
    },
  ])
})

interface ComplexType {
  '@name': string
  'xs:complexContent'?: { 'xs:extension': { '@base': string } }
}

function complexTypes(schema: string): ComplexType[] {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    isArray: (_, path) => path === 'xs:schema.xs:complexType',
  })
  const document = parser.parse(schema) as { 'xs:schema': { 'xs:complexType'?: ComplexType[] } }
  return document['xs:schema']['xs:complexType'] ?? []
}
