import type { IncomingMessage } from 'node:http'

// XNAT: site setting interactiveAgentIds; a blank agent and the desktop client are exempt (DefaultInteractiveAgentDetector.java).
export function isInteractive(request: IncomingMessage): boolean {
  const agent = request.headers['user-agent'] ?? ''
  return /MSIE|Mozilla|AppleWebKit|Opera/.test(agent) && !agent.includes('XNATDesktopClient')
}

// XNAT: the CSRF rule holds for agents that parse as a web or mobile browser (SecureAction.java).
export function isBrowser(request: IncomingMessage): boolean {
  const agent = request.headers['user-agent'] ?? ''
  return /Chrome|Firefox|Safari|MSIE|Trident|Opera|Edg/.test(agent) && !/JAVA|XNATDesktopClient/.test(agent)
}
