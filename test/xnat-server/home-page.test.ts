// XnatAuthenticationEntryPoint.java, DefaultTop.vm.
import { describe, expect } from 'vitest'
import { test, testFacts } from './site.ts'

describe('the first page of the site', () => {
  testFacts([
    {
      fact: 'auth 3.4: sends whoever is not logged in to the login page, scripts too',
      steps: [
        {
          send: 'GET /',
          as: 'nobody',
          headers: { 'user-agent': 'curl/8.0' },
          status: 302,
          replyHeaders: { location: /\/app\/template\/Login\.vm$/ },
        },
        { send: 'GET /', as: 'member', status: 200, text: /Logged in as: &nbsp;<a id="username-link"[^>]*>member</ },
      ],
    },
  ])

  test('auth 3.4: greets a guest of an open site', async ({ site }) => {
    site.server.state.configure({ requireLogin: false })
    const { status, text } = await site.send('GET /', { as: 'nobody' })
    expect(status).toBe(200)
    expect(text).toContain('Logged in as: <span style="color:red;">Guest</span>')
  })
})
