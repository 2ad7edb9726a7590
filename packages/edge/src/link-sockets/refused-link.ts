import type { IncomingMessage } from 'node:http';

const maxAnswerLength = 4096;
const maxQuoted = 500;

/** Why a node, or whoever is at its address, has not taken a link: in its own words when it has any. Never rejects. */
export async function refusedBecause(response: IncomingMessage): Promise<string> {
  const status = `the node answered ${response.statusCode}`;
  let text = '';
  try {
    for await (const part of response.setEncoding('utf8')) {
      text += part;
      if (text.length > maxAnswerLength) return status;
    }
    const { message } = JSON.parse(text).error;
    return typeof message === 'string' ? `${status}: ${message.slice(0, maxQuoted)}` : status;
  } catch {
    return status;
  }
}
