/** Namespaces: `a/b/c` for people, `ns/a/ns/b/ns/c` on disk, the empty string for the root (`spec/datastore-layout.md` §2.2). */
import { FormatError } from "../base/errors.ts";
import { isSafeId } from "./names.ts";

/** Levels below the root. */
export const MAX_NAMESPACE_DEPTH = 7;
/** Characters of the whole namespace, separators included. */
export const MAX_NAMESPACE_LENGTH = 256;
/** Characters of a component that is to be created; existing longer ones are still readable. */
export const MAX_NEW_COMPONENT_LENGTH = 32;

/** The components of a namespace text. Throws {@link FormatError} on a bad component, too many levels or too many characters. */
export function parseNamespace(text: string): string[] {
  if (text === "") return [];
  if (text.length > MAX_NAMESPACE_LENGTH) {
    throw new FormatError(
      `namespace is too long: ${text.length} characters, at most ${MAX_NAMESPACE_LENGTH} are allowed`,
    );
  }
  const components = text.split("/");
  for (const component of components) {
    if (!isSafeId(component)) throw new FormatError(`invalid namespace component '${component}' in '${text}'`);
  }
  if (components.length > MAX_NAMESPACE_DEPTH) {
    throw new FormatError(
      `namespace '${text}' is too deep: ${components.length} levels, at most ${MAX_NAMESPACE_DEPTH} are allowed`,
    );
  }
  return components;
}

/** Number of levels below the root: 0 for the root. */
export function namespaceDepth(namespace: string): number {
  return namespace === "" ? 0 : namespace.split("/").length;
}

/** The namespace above, or undefined for the root. */
export function parentNamespace(namespace: string): string | undefined {
  if (namespace === "") return undefined;
  return namespace.slice(0, Math.max(0, namespace.lastIndexOf("/")));
}

/** `child` (a component or several) below `namespace`, checked as {@link parseNamespace} does. */
export function joinNamespace(namespace: string, child: string): string {
  const joined = namespace === "" || child === "" ? namespace + child : `${namespace}/${child}`;
  parseNamespace(joined);
  return joined;
}

/**
 * The namespace that creating `name` below `parent` gives. Throws {@link FormatError} when the name is no safe id of at most
 * 32 characters or the result too deep or long.
 */
export function newNamespace(parent: string, name: string): string {
  if (!isSafeId(name) || name.length > MAX_NEW_COMPONENT_LENGTH) {
    throw new FormatError(
      `invalid namespace name '${
        name.slice(0, 80)
      }': 1 to ${MAX_NEW_COMPONENT_LENGTH} letters, digits, '_', '.' or '-' are allowed`,
    );
  }
  return joinNamespace(parent, name);
}

/** True when `namespace` is `ancestor` or lies below it. */
export function namespaceContains(ancestor: string, namespace: string): boolean {
  return ancestor === "" || namespace === ancestor || namespace.startsWith(`${ancestor}/`);
}

/** Relative directory of a namespace: `ns/a/ns/b`, empty for the root. */
export function namespacePath(namespace: string): string {
  return parseNamespace(namespace).map((component) => `ns/${component}`).join("/");
}

/** `namespace`, which lies at or below `from`, with that beginning replaced by `to`. Throws {@link FormatError} when it does not, or gets too deep. */
export function rebaseNamespace(namespace: string, from: string, to: string): string {
  if (!namespaceContains(from, namespace)) {
    throw new FormatError(`namespace '${namespace}' is not below '${from}'`);
  }
  return joinNamespace(to, namespace.slice(from === "" ? 0 : from.length).replace(/^\//, ""));
}
