/**
 * What a node or an edge says to a call without a key is for whoever speaks HTTP: this says the same to whoever has a command
 * line. Other messages are as they were.
 */
export function keyAdvice(message: string): string {
  return message.replace(
    '; send one Authorization: Bearer pwk_<id>_<secret>',
    '; give --keys FILE, or set PINWHEEL_API_KEY to a key that pinwheel api-key new has made',
  );
}
