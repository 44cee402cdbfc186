// Requests to the byte as Python's httpx sends them: order and case of the headers, and how JSON is written
// (encode/httpx httpx/_client.py, _models.py Request._prepare, _content.py encode_json; python-hyper/h11 _writers.py).

export interface HttpxCall {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  /** Their values must need no encoding: httpx changed its own between versions. */
  params?: Record<string, string>
  json?: unknown
  headers?: Record<string, string>
}

export interface HttpxVersion {
  /** Since 0.28 JSON is written without spaces and in UTF-8; before it was as Python does by itself. */
  version: string
  /** `gzip, deflate`, and more where Python has the packages for it. */
  acceptEncoding: string
}

export function httpxBytes(
  { method, path, params, json, headers = {} }: HttpxCall,
  { version, acceptEncoding }: HttpxVersion,
  host: string,
): Buffer {
  const body = json === undefined ? '' : isCompact(version) ? JSON.stringify(json) : pythonJson(json)
  const target = params === undefined ? path : `${path}?${new URLSearchParams(params)}`
  const hasEmptyBody = json === undefined && (method === 'POST' || method === 'PUT')
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    ...(hasEmptyBody ? ['Content-Length: 0'] : []),
    'Accept: */*',
    `Accept-Encoding: ${acceptEncoding}`,
    'Connection: keep-alive',
    `User-Agent: python-httpx/${version}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(json === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`, 'Content-Type: application/json']),
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

function isCompact(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 0 || minor >= 28
}

/** As `json.dumps` without options: a space after `:` and `,`, and nothing but ASCII. */
function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, each]) => `${pythonJson(key)}: ${pythonJson(each)}`)
      .join(', ')}}`
  }
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
