/**
 * Whether a JSON object names a member twice on its first level: readers differ in which one they believe.
 *
 * @param json valid JSON of an object.
 */
export function hasRepeatedNames(json: string): boolean {
  let depth = 0;
  let members = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (inString) {
      if (c === '\\') i++;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') depth--;
    else if (c === ':' && depth === 1) members++;
  }
  return members !== Object.keys(JSON.parse(json) as object).length;
}
