import { expect, it } from 'vitest'
import { ItemReply } from '../../lib/xnat/item.ts'
import { projectXml } from '../../lib/xnat/xml.ts'

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
