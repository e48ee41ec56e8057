/** `version` and `ping` (`spec/rest-conventions.md` §9). */
import { z } from "zod";
import { PBS_COMPAT } from "../../base/version.ts";
import { method } from "../method.ts";

export const VERSION_METHODS = [
  method({
    verb: "GET",
    path: "/version",
    description: "The version of the API, as PBS counts it.",
    params: z.object({}),
    returns: z.object({ version: z.string(), release: z.string(), repoid: z.string() }),
    permission: { user: "all" },
    handler: () => PBS_COMPAT,
  }),
  method({
    verb: "GET",
    path: "/ping",
    description: "Answers without login; for watching whether the server lives.",
    params: z.object({}),
    returns: z.object({ pong: z.boolean() }),
    permission: { user: "world" },
    handler: () => ({ pong: true }),
  }),
];
