// Documents in the body of a request: SecureResource.java loadItem.
import { describe } from 'vitest'
import { testFacts } from './facts.ts'

const subject = (group: string) =>
  `<xnat:Subject group="${group}" xmlns:xnat="http://nrg.wustl.edu/xnat"><xnat:demographics/></xnat:Subject>`

function form(...parts: readonly { fileName?: string; content: string }[]) {
  const lines = parts.flatMap(({ fileName, content }) => [
    '--b',
    `Content-Disposition: form-data; name="part"${fileName === undefined ? '' : `; filename="${fileName}"`}`,
    '',
    content,
  ])
  return {
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: [...lines, '--b--', ''].join('\r\n'),
  }
}

const put = 'PUT /data/projects/{P1}/subjects/S2'
const show = 'GET /data/projects/{P1}/subjects/S2?format=json'

describe('documents in forms', () => {
  testFacts([
    {
      fact: 'data-api 0.1: of a multipart body, the parts whose names end in .xml are read',
      steps: [
        {
          send: put,
          ...form({ fileName: 'a.txt', content: 'no document' }, { fileName: 'a.xml', content: subject('control') }),
          status: 201,
        },
        { send: show, status: 200, text: /"group":"control"/ },
      ],
    },
    {
      fact: 'data-api 0.1: a malformed part is 422',
      steps: [{ send: put, ...form({ fileName: 'a.xml', content: '<xnat:Subject>' }), status: 422 }],
    },
  ])
})
