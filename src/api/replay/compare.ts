/** Comparing answers by their structure: the same members and types, whatever the values. For tests. */

function kindOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

/** The structure of a value as text: member names and types; a list by the structures that occur in it. */
function shape(value: unknown): string {
  if (Array.isArray(value)) return `[${[...new Set(value.map(shape))].sort().join("|")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${
      Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([name, member]) => `${name}:${shape(member)}`).join(
        ",",
      )
    }}`;
  }
  return kindOf(value);
}

/** Why `actual` has not the structure of `expected`; undefined when it has. A list of which the recording kept a part may be longer or empty. */
export function structureFault(expected: unknown, actual: unknown, path = ""): string | undefined {
  if (kindOf(expected) !== kindOf(actual)) return `${path || "/"}: ${kindOf(expected)} expected, got ${kindOf(actual)}`;
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length === 0 || actual.length === 0) {
      return expected.length === actual.length
        ? undefined
        : `${path}: ${expected.length} elements expected, got ${actual.length}`;
    }
    const known = new Set(expected.map(shape));
    const odd = actual.find((one) => !known.has(shape(one)));
    return odd === undefined
      ? undefined
      : `${path}: no recorded element looks like ${JSON.stringify(odd).slice(0, 200)}`;
  }
  if (typeof expected === "object" && expected !== null && typeof actual === "object" && actual !== null) {
    for (const [name, member] of Object.entries(expected)) {
      if (!Object.hasOwn(actual, name)) return `${path}/${name} is missing`;
      const fault = structureFault(member, (actual as Record<string, unknown>)[name], `${path}/${name}`);
      if (fault) return fault;
    }
    const extra = Object.keys(actual).find((name) => !Object.hasOwn(expected, name));
    return extra === undefined ? undefined : `${path}/${extra} is not in the recording`;
  }
  return undefined;
}
