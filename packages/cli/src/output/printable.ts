/**
 * For a terminal: control characters, as escapes. What strangers choose, such as a user id or a message, must neither begin a
 * line of its own nor command the terminal.
 */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
