import { describe } from 'vitest'
import { type Case, testFacts } from './facts.ts'

const facts: Case[] = [
  {
    fact: 'data-api 0.1: /REST is /data, and /archive may be left out',
    steps: [
      { send: 'GET /REST/projects', status: 200, among: { ID: '{P1}' } },
      { send: 'GET /data/archive/projects/{P1}/subjects', status: 200, rows: [{ label: 'S1' }] },
      { send: 'GET /REST/archive/experiments/{E1}/scans', status: 200, rows: [{ ID: '1' }] },
    ],
  },
  {
    fact: 'data-api 0.1: a route needs only to begin the path',
    steps: [
      { send: 'GET /data/projectsfoo', status: 200, among: { ID: '{P1}' } },
      { send: 'GET /data/experiments/{E1}/foo?format=json', status: 200, text: /"label":"E1"/ },
      { send: 'GET /data/projects/{P1}/foo', status: 400 },
      { send: 'PUT /data/projects/{P1}/foo', status: 400 },
      { send: 'GET /data/nothing', status: 404 },
    ],
  },
  {
    fact: 'data-api 0.1: a trailing slash changes nothing, a double one is refused',
    steps: [
      { send: 'GET /data/projects/', status: 200, among: { ID: '{P1}' } },
      { send: 'GET /data/projects/{P1}/?format=json', status: 200, text: /"ID":"{P1}"/ },
      { send: 'GET /data//projects', status: 500 },
    ],
  },
  {
    fact: 'data-api 0.1: the firewall refuses encoded slashes, percents, dots and semicolons',
    steps: ['%2F', '%25', '%5C', '%2e', ';'].map((bad) => ({ send: `GET /data/projects/a${bad}b`, status: 500 })),
  },
  {
    fact: 'data-api 0.1: a path that leads upwards is refused',
    steps: [{ send: 'GET /data/projects/{P1}/../{P2}', status: 500 }],
  },
  {
    fact: 'data-api 0.1: POST with ?method= is that method',
    steps: [
      { send: 'POST /data/projects/{P2}?method=PUT', status: 200 },
      { send: 'GET /data/projects/{P2}?format=json', status: 200 },
    ],
  },
  {
    fact: 'data-api 0.1: a method that is not allowed is 405 and names those that are',
    steps: [
      { send: 'DELETE /data/projects', status: 405, replyHeaders: { allow: 'GET, HEAD, POST' } },
      { send: 'PATCH /data/projects/{P1}', status: 405, replyHeaders: { allow: 'GET, HEAD, PUT, DELETE' } },
    ],
  },
  {
    fact: 'data-api 0.1: plain texts are held against Accept too',
    steps: [
      { send: 'GET /data/JSESSION', headers: { accept: 'application/json' }, status: 406 },
      { send: 'POST /data/JSESSION', headers: { accept: 'application/json' }, status: 200 },
      { send: 'GET /data/auth', headers: { accept: 'application/json' }, status: 406 },
      {
        send: 'GET /data/projects/{P1}/accessibility',
        headers: { accept: 'text/plain' },
        status: 200,
        text: 'private',
      },
      { send: 'GET /data/projects/{P1}/prearchive_code', headers: { accept: 'text/plain' }, status: 406 },
      { send: 'GET /data/projects/{P1}/prearchive_code', headers: { accept: '*/*' }, status: 200, text: '4' },
    ],
  },
  {
    fact: 'data-api 0.1: without a format a single item is an HTML page, and xml is a document',
    steps: [
      { send: 'GET /data/projects/{P1}', status: 200, replyHeaders: { 'content-type': /^text\/html/ } },
      { send: 'GET /data/projects/{P1}?format=xml', status: 200, text: /<xnat:Project ID="{P1}"/ },
    ],
  },
  {
    fact: 'data-api 6.1: an error is an HTML page with its message in h3, whatever was asked for',
    steps: [
      {
        send: 'GET /data/projects/NONE?format=json',
        headers: { accept: '*/*' },
        status: 404,
        text: /<title>Status page<\/title>[\s\S]*<h3>Unable to find the specified experiment\.<\/h3>/,
        replyHeaders: { 'content-type': /^text\/html/ },
      },
    ],
  },
  {
    fact: 'data-api 7.1: lists come as XML, CSV and HTML too',
    steps: [
      { send: 'GET /data/projects?format=csv&ID={P1}', status: 200, text: /^"ID","secondary_ID"[^\n]*\n"{P1}","{P1}"/ },
      {
        send: 'GET /data/projects?format=xml&ID={P1}',
        status: 200,
        text: /<ResultSet title="Projects" totalRecords="1">.*<cell>{P1}<\/cell>/,
      },
      { send: 'GET /data/projects?format=html&ID={P1}', status: 200, text: /<td>{P1}<\/td>/ },
    ],
  },
]

describe('routing', () => testFacts(facts))
