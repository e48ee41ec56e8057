/** From a path to its methods. */
import { DozoError } from "../base/errors.ts";
import type { Method, Verb } from "./method.ts";

/** One component of the path tree. */
export interface PathNode {
  /** Path of the node with placeholders. */
  readonly path: string;
  readonly methods: Map<Verb, Method>;
  readonly children: Map<string, PathNode>;
  /** The child that takes any component, and its name. */
  placeholder?: { readonly name: string; readonly node: PathNode };
}

/** A found node and the values of the placeholders on the way. */
export interface Match {
  readonly node: PathNode;
  readonly placeholders: readonly (readonly [string, string])[];
}

function emptyNode(path: string): PathNode {
  return { path, methods: new Map(), children: new Map() };
}

/** All methods as a tree. */
export class Router {
  readonly root: PathNode = emptyNode("/");

  /** Throws when two methods have the same path and verb, or a placeholder has two names. */
  constructor(readonly methods: readonly Method[]) {
    for (const method of methods) {
      const node = this.#nodeFor(method.path);
      if (node.methods.has(method.verb)) throw new Error(`${method.verb} ${method.path} is twice in the table`);
      node.methods.set(method.verb, method);
    }
  }

  /** The node of decoded path components, or undefined. A literal child wins over a placeholder. */
  find(components: readonly string[]): Match | undefined {
    const placeholders: [string, string][] = [];
    let node = this.root;
    for (const component of components) {
      const literal = node.children.get(component);
      if (literal) node = literal;
      else if (node.placeholder) {
        placeholders.push([node.placeholder.name, component]);
        node = node.placeholder.node;
      } else return undefined;
    }
    return { node, placeholders };
  }

  #nodeFor(path: string): PathNode {
    let node = this.root;
    for (const component of path.split("/").filter((one) => one !== "")) {
      const below = `${node.path === "/" ? "" : node.path}/${component}`;
      if (component.startsWith("{")) {
        const name = component.slice(1, -1);
        node.placeholder ??= { name, node: emptyNode(below) };
        if (node.placeholder.name !== name) {
          throw new Error(`placeholder of ${below} is also {${node.placeholder.name}}`);
        }
        node = node.placeholder.node;
      } else {
        let child = node.children.get(component);
        if (!child) node.children.set(component, child = emptyNode(below));
        node = child;
      }
    }
    return node;
  }
}

/** Decoded components of a URL path; empty ones are dropped. Throws 400 on one that begins with a dot or is not decodable. */
export function pathComponents(path: string): string[] {
  return path.split("/").filter((component) => component !== "").map((component) => {
    let decoded: string;
    try {
      decoded = decodeURIComponent(component);
    } catch {
      throw new DozoError("path contains illegal components");
    }
    if (component.startsWith(".") || decoded.startsWith(".") || decoded.includes("\0")) {
      throw new DozoError("path contains illegal components");
    }
    return decoded;
  });
}
