// XnatAuthenticationEntryPoint.java, DefaultTop.vm.
import { describe } from 'vitest'
import { testFacts } from './facts.ts'

describe('the first page of the site', () => {
  testFacts([
    {
      fact: 'auth-users-import 3.4: sends whoever is not logged in to the login page, scripts too',
      steps: [
        {
          send: 'GET /',
          as: 'nobody',
          headers: { 'user-agent': 'curl/8.0' },
          status: 302,
          replyHeaders: { location: /\/app\/template\/Login\.vm$/ },
        },
        { send: 'GET /', as: 'member', status: 200, text: /Logged in as: &nbsp;<a id="username-link"[^>]*>{member}</ },
      ],
    },
    {
      fact: 'auth-users-import 3.4: greets a guest of an open site',
      standInOnly: 'changes the site',
      steps: [
        { send: 'POST /xapi/siteConfig/requireLogin', body: 'false', status: 200 },
        { send: 'GET /', as: 'nobody', status: 200, text: /Logged in as: <span style="color:red;">Guest<\/span>/ },
      ],
    },
  ])
})
