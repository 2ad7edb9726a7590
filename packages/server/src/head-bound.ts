/** Of target and headers together, in bytes: what may come, and what it is when nobody says less. */
export const mostHeadBytes = 16_384;

// uWebSockets.js keeps the head of a request that comes in parts up to 4 KiB, less than a token of 8 KiB needs. It reads
// the bound from the environment as it is loaded: this file has to be imported before it.
process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(mostHeadBytes);
