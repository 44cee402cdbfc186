import { expect, it } from 'vitest'
import { ItemReply } from '../../lib/xnat/item.ts'
import { parseCatalog, projectXml } from '../../lib/xnat/xml.ts'

it('writes a project with its text escaped and its empty parts left out', () => {
  const xml = projectXml({
    projectId: 'P1',
    secondaryId: 'a"b',
    name: 'A & <B>',
    description: undefined,
    aliases: ['x', 'y'],
  })
  expect(xml).toBe(
    '<xnat:Project ID="P1" secondary_ID="a&quot;b" xmlns:xnat="http://nrg.wustl.edu/xnat">' +
      '<xnat:name>A &amp; &lt;B&gt;</xnat:name>' +
      '<xnat:aliases><xnat:alias>x</xnat:alias><xnat:alias>y</xnat:alias></xnat:aliases></xnat:Project>',
  )
})

it('writes the principal investigator as a name of two parts', () => {
  const xml = projectXml({ projectId: 'P1', principalInvestigator: { firstName: 'Ada', lastName: 'Ölmez' } })
  expect(xml).toContain('<xnat:PI><xnat:firstname>Ada</xnat:firstname><xnat:lastname>Ölmez</xnat:lastname></xnat:PI>')
})

const catalog = (entries: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<cat:Catalog ID="R" xmlns:cat="http://nrg.wustl.edu/catalog">
    <cat:metaFields><cat:metaField name="AUDIT">x</cat:metaField></cat:metaFields>${entries}</cat:Catalog>`

it.each([
  ['no entries', '', []],
  ['an empty list', '<cat:entries/>', []],
  [
    'one entry',
    '<cat:entries><cat:entry ID="a/1.dcm" URI="a/1.dcm" name="1.dcm" digest="0f34"/></cat:entries>',
    [{ path: 'a/1.dcm', md5: '0f34' }],
  ],
  [
    'entries with and without digest, names escaped',
    '<cat:entries><cat:entry URI="1&amp;2.dcm" digest=""><cat:metaFields/></cat:entry><cat:entry URI="007"/></cat:entries>',
    [
      { path: '1&2.dcm', md5: undefined },
      { path: '007', md5: undefined },
    ],
  ],
])('reads a catalog with %s', (_, entries, expected) => {
  expect(parseCatalog(catalog(entries))).toEqual(expected)
})

it.each(['', 'no xml', '<html><body/></html>', '<Catalog><entries><entry/></entries></Catalog>'])(
  'does not take %j for a catalog',
  (text) => {
    expect(parseCatalog(text)).toBe(undefined)
  },
)

it('reads a record with its type, its fields as text and the records below it', () => {
  const reply = {
    items: [
      {
        meta: { isHistory: false, 'xsi:type': 'xnat:mrSessionData', create_event_id: 12 },
        data_fields: { ID: 'X_E00001', label: 'MR1', age: 44, 'scanner/manufacturer': 'SIEMENS', note: '' },
        children: [
          {
            field: 'scans/scan',
            items: [{ meta: { 'xsi:type': 'xnat:mrScanData' }, data_fields: { ID: '1' }, children: [] }],
          },
        ],
      },
    ],
  }
  expect(ItemReply.parse(reply)).toEqual({
    xsiType: 'xnat:mrSessionData',
    fields: { ID: 'X_E00001', label: 'MR1', age: '44', 'scanner/manufacturer': 'SIEMENS' },
    children: { 'scans/scan': [{ xsiType: 'xnat:mrScanData', fields: { ID: '1' }, children: {} }] },
  })
})

it.each([{ items: [] }, {}, { items: [{ data_fields: {} }] }])('does not take %j for a record', (reply) => {
  expect(ItemReply.safeParse(reply).success).toBe(false)
})
