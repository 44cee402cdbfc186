import { createCipheriv } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { open, seal } from '../../lib/envelope.ts'

const key = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex')
const keys = { shared: key }
const hubId = '3f2b8c1e-7d4a-4a55-9a0e-6c1d2e3f4a5b'

// flip-contract section 3, vector B, and the same without spaces.
const vectorB =
  'eyJ2IjogMSwgImtpZCI6ICJzaGFyZWQiLCAiaXYiOiAiRUJFU0V4UVZGaGNZR1JvYiIsICJjdCI6ICJUcGlxZEhHcUM5Ym5RbXdwYmxSZE11SmxZemQ2OGpLYzBaclRBMnd4Wjcxa2lHSmg5RzBhc1o4VEtmcm0xek9YdE1hSm9nPT0ifQ=='
const vectorBCompact =
  'eyJ2IjoxLCJraWQiOiJzaGFyZWQiLCJpdiI6IkVCRVNFeFFWRmhjWUdSb2IiLCJjdCI6IlRwaXFkSEdxQzliblFtd3BibFJkTXVKbFl6ZDY4aktjMFpyVEEyd3haNzFraUdKaDlHMGFzWjhUS2ZybTF6T1h0TWFKb2c9PSJ9'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const decoded = (envelope: string) => JSON.parse(Buffer.from(envelope, 'base64').toString())

// Vector A, FLIP's own known answer.
const vectorA =
  'eyJ2IjogMSwgImtpZCI6ICJzaGFyZWQiLCAiaXYiOiAiQUFFQ0F3UUZCZ2NJQ1FvTCIsICJjdCI6ICJMR3k1Ykt2SW8zWCtOdkw1MFo3MFNwSTgzd1NLbGlyaUxJa25PQT09In0='

describe('a sealed value', () => {
  it("of FLIP's own known answer opens", () => {
    expect(open(vectorA, { keys, context: 'kat' })).toBe('known-answer')
  })

  it.each([vectorB, vectorBCompact])('of FLIP opens', (envelope) => {
    expect(open(envelope, { keys, context: 'project_id' })).toBe(hubId)
  })

  it('opens for no other use, by no other key, and not when anything was changed', () => {
    const { v, kid, iv, ct } = decoded(vectorB)
    const changed = { v, kid, iv, ct: `A${ct.slice(1)}` }
    const refused = (envelope: string, otherKeys = keys, context = 'project_id') =>
      expect(() => open(envelope, { keys: otherKeys, context })).toThrow(
        expect.objectContaining({ code: 'ENVELOPE_NOT_AUTHENTIC' }),
      )

    refused(vectorB, keys, 'xnat_setup_path')
    refused(vectorB, keys, '')
    refused(vectorB, { shared: Buffer.alloc(32, 7) })
    refused(base64(JSON.stringify(changed)))
    refused(base64(JSON.stringify({ v, kid, iv, ct: 'AAAA' })))
  })

  it.each([
    ['not base64!', 'Payload is not a FLIP encryption envelope'],
    ['', 'Payload is not a FLIP encryption envelope'],
    [base64('not json'), 'Payload is not a FLIP encryption envelope'],
    [base64('{"v":1,"kid":"shared"}'), 'Payload is not a FLIP encryption envelope'],
    [base64('{"v":true,"kid":"shared","iv":"AAAA","ct":"AAAA"}'), 'Payload is not a FLIP encryption envelope'],
    [base64('{"v":1,"kid":1,"iv":"AAAA","ct":"AAAA"}'), 'Payload is not a FLIP encryption envelope'],
    [base64('{"v":2,"kid":"shared","iv":"AAAA","ct":"AAAA"}'), 'Unsupported payload version: 2'],
    [base64('{"v":1,"kid":"other","iv":"AAAA","ct":"AAAA"}'), 'No key registered for this kid'],
    [base64('{"v":1,"kid":"constructor","iv":"AAAA","ct":"AAAA"}'), 'No key registered for this kid'],
    [base64('{"v":1,"kid":"shared","iv":"AAAA","ct":"AAAA"}'), 'Nonce must be 12 bytes, got 3'],
  ])("that is none is refused in FLIP's words: %s", (envelope, message) => {
    expect(() => open(envelope, { keys, context: 'project_id' })).toThrow(
      expect.objectContaining({ code: 'ENVELOPE_NOT_VALID', message }),
    )
  })

  it('opens again, whatever the text, and never looks the same twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const options = { keys, kid: 'shared', context: 'xnat_setup_path' } as const
        const [one, other] = [seal(text, options), seal(text, options)]
        expect(one).not.toBe(other)
        expect(open(one, { keys, context: 'xnat_setup_path' })).toBe(text)
      }),
    )
  })

  it('is written as FLIP writes it', () => {
    const json = Buffer.from(seal(hubId, { keys, kid: 'shared', context: 'project_id' }), 'base64').toString()
    expect(json).toMatch(/^\{"v": 1, "kid": "shared", "iv": "[A-Za-z0-9+/]{16}", "ct": "[A-Za-z0-9+/]+={0,2}"\}$/)
  })

  it('stays readable while its key is being changed', () => {
    const both = { shared: key, next: Buffer.alloc(32, 9) }
    expect(open(vectorB, { keys: both, context: 'project_id' })).toBe(hubId)
    expect(
      open(seal(hubId, { keys: both, kid: 'next', context: 'project_id' }), { keys: both, context: 'project_id' }),
    ).toBe(hubId)
  })

  it('that is authentic but no text is refused', () => {
    const nonce = Buffer.alloc(12, 1)
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from('FLIP|v1|shared|project_id'))
    const ct = Buffer.concat([cipher.update(Buffer.from([0xff, 0xfe])), cipher.final(), cipher.getAuthTag()])
    const envelope = base64(
      JSON.stringify({ v: 1, kid: 'shared', iv: nonce.toString('base64'), ct: ct.toString('base64') }),
    )
    expect(() => open(envelope, { keys, context: 'project_id' })).toThrow(
      expect.objectContaining({ code: 'ENVELOPE_NOT_VALID' }),
    )
  })
})
