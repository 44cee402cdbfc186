import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config.ts'
import { ConfigError } from '../../lib/errors.ts'
import { testEnvironment } from '../support/wired.ts'

describe('the settings', () => {
  it('are read from the environment, with defaults', () => {
    expect(loadConfig({ ...testEnvironment, XNAT_URL: 'https://xnat.example/xnat/' })).toMatchObject({
      xnat: { url: 'https://xnat.example/xnat', account: { value: { user: 'service' } } },
      serviceKey: { header: 'x-trust-internal-service-key', keys: { value: ['fake-key'] } },
      logLevel: 'info',
    })
  })

  it('may hold two service keys while one is being changed, or none', () => {
    const keys = (value: string) =>
      loadConfig({ ...testEnvironment, TRUST_INTERNAL_SERVICE_KEY: value }).serviceKey.keys
    expect([keys('new old'), keys(' one\n'), keys('')]).toEqual(
      [['new', 'old'], ['one'], []].map((value) => ({ value })),
    )
  })

  it('may name secrets in place of what is secret, and want the one or the other', () => {
    const {
      XNAT_SERVICE_USER: _user,
      XNAT_SERVICE_PASSWORD: _password,
      TRUST_INTERNAL_SERVICE_KEY: _key,
      AES_KEY_BASE64: _aes,
      ...rest
    } = testEnvironment
    expect(
      loadConfig({
        ...rest,
        XNAT_SECRET: 'prod/xnat',
        SERVICE_KEY_SECRET: 'prod/key',
        ENVELOPE_KEY_SECRET: 'prod/aes',
      }),
    ).toMatchObject({
      xnat: { account: { id: 'prod/xnat' } },
      serviceKey: { keys: { id: 'prod/key' } },
      envelope: { id: 'prod/aes' },
    })
    expect(() => loadConfig({ ...rest, XNAT_URL: '' })).toThrow(
      /XNAT_URL is missing; XNAT_SERVICE_USER is missing; XNAT_SERVICE_PASSWORD is missing; AES_KEY_BASE64 is missing/,
    )
  })

  it('name a service for cohort queries, or none', () => {
    const dataAccess = (env: Record<string, string>) => loadConfig({ ...testEnvironment, ...env }).dataAccess
    const url = 'https://cohorts.example/api'
    expect(dataAccess({ DATA_ACCESS_API_URL: '' })).toBeUndefined()
    expect(dataAccess({ DATA_ACCESS_API_URL: url })).toEqual({ url, sealedProjectId: 'xnat', timeoutMs: 20_000 })
    expect(
      dataAccess({ DATA_ACCESS_API_URL: url, DATA_ACCESS_PROJECT_ID: 'hub', DATA_ACCESS_TIMEOUT_SECONDS: '2.5' }),
    ).toEqual({ url, sealedProjectId: 'hub', timeoutMs: 2_500 })
  })

  it('are all named at once when missing or wrong, without their values', () => {
    const { XNAT_URL: _gone, ...rest } = testEnvironment
    const load = () =>
      loadConfig({ ...rest, STATE_BUCKET: '', DELIVERIES_QUEUE_URL: 'secret-looking', LOG_LEVEL: 'loud' })

    expect(load).toThrow(ConfigError)
    expect(load).toThrow(
      /XNAT_URL is missing; STATE_BUCKET is missing; DELIVERIES_QUEUE_URL is not valid; LOG_LEVEL is not valid/,
    )
    expect(load).not.toThrow(/secret-looking/)
  })
})
