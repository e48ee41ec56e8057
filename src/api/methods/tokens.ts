/** API tokens of a user (`spec/auth.md` §6 and §10). */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { parseAuthId } from "../../access/authid.ts";
import { DozoError } from "../../base/errors.ts";
import { deleteList, flag, sha256Hex, tokenName, userid } from "../../config/schema/mod.ts";
import { TOKEN, TOKEN_FIELDS, USER } from "../../config/users.ts";
import { JsonResult, method } from "../method.ts";
import { SELF_OR_AUDIT, SELF_OR_MODIFY } from "./user_permissions.ts";
import { defaultsToRemove } from "./users.ts";

const NAMES = { userid: userid(), "token-name": tokenName() };
const TOKEN_INFO = z.object({ tokenid: z.string(), ...TOKEN_FIELDS });

function trimmedComment(fields: { readonly comment?: string; readonly enable?: boolean; readonly expire?: number }) {
  return {
    comment: fields.comment?.trim(),
    enable: fields.enable === true ? undefined : fields.enable,
    expire: fields.expire === 0 ? undefined : fields.expire,
  };
}

export const TOKEN_METHODS = [
  method({
    verb: "GET",
    path: "/access/users/{userid}/token",
    description: "Tokens of a user.",
    params: z.object({ userid: userid() }),
    returns: z.array(TOKEN_INFO.extend({ "token-name": z.string() })),
    permission: SELF_OR_AUDIT,
    handler: ({ userid }, { services }) => {
      const { value, digest } = services.config.users.read();
      const tokens = TOKEN.list(value).flatMap((token) => {
        const id = parseAuthId(String(token.tokenid));
        return id.userid === userid ? [{ ...token, "token-name": id.token }] : [];
      });
      return new JsonResult(tokens, { digest });
    },
  }),
  method({
    verb: "GET",
    path: "/access/users/{userid}/token/{token-name}",
    description: "One token; its secret is never shown again.",
    params: z.object(NAMES),
    returns: TOKEN_INFO,
    permission: SELF_OR_AUDIT,
    handler: ({ userid, "token-name": name }, { services }) => {
      const { value, digest } = services.config.users.read();
      const section = value.get(TOKEN.type, `${userid}!${name}`);
      if (!section) throw new DozoError(`no such token '${userid}!${name}'`);
      return new JsonResult(TOKEN.read(section), { digest });
    },
  }),
  method({
    verb: "POST",
    path: "/access/users/{userid}/token/{token-name}",
    description: "Create a token; the answer holds its secret, once.",
    params: z.object({ ...NAMES, ...TOKEN_FIELDS, digest: sha256Hex().optional() }),
    returns: z.object({ tokenid: z.string(), value: z.string() }),
    permission: SELF_OR_MODIFY,
    protected: true,
    handler: async ({ userid, "token-name": name, digest, ...fields }, { services }) => {
      const tokenid = `${userid}!${name}`;
      await services.config.users.update((sections) => {
        if (!services.access.identities().exists(parseAuthId(userid)) && !sections.get(USER.type, userid)) {
          throw new DozoError(`no such user '${userid}'`);
        }
        if (sections.get(TOKEN.type, tokenid)) {
          throw new DozoError(`token '${name}' for user '${userid}' already exists.`);
        }
        return sections.with(TOKEN.create(tokenid, trimmedComment(fields)));
      }, digest);
      const value = randomUUID();
      await services.access.setTokenSecret(tokenid, value);
      return { tokenid, value };
    },
  }),
  method({
    verb: "PUT",
    path: "/access/users/{userid}/token/{token-name}",
    description: "Change a token, or give it a new secret.",
    params: z.object({
      ...NAMES,
      ...TOKEN_FIELDS,
      regenerate: flag(),
      delete: deleteList(["comment"]),
      digest: sha256Hex().optional(),
    }),
    returns: z.object({ secret: z.string().optional() }),
    permission: SELF_OR_MODIFY,
    protected: true,
    handler: async ({ userid, "token-name": name, digest, delete: remove, regenerate, ...fields }, { services }) => {
      const tokenid = `${userid}!${name}`;
      await services.config.users.update((sections) => {
        const section = sections.get(TOKEN.type, tokenid);
        if (!section) throw new DozoError(`no such token '${tokenid}'`);
        return sections.with(
          TOKEN.change(section, trimmedComment(fields), [...(remove ?? []), ...defaultsToRemove(fields)]),
        );
      }, digest);
      if (!regenerate) return {};
      const secret = randomUUID();
      await services.access.setTokenSecret(tokenid, secret);
      return { secret };
    },
  }),
  method({
    verb: "DELETE",
    path: "/access/users/{userid}/token/{token-name}",
    description: "Remove a token with its secret and access rules.",
    params: z.object({ ...NAMES, digest: sha256Hex().optional() }),
    permission: SELF_OR_MODIFY,
    protected: true,
    handler: async ({ userid, "token-name": name, digest }, { services: { config } }) => {
      const tokenid = `${userid}!${name}`;
      await config.users.update((sections) => {
        if (!sections.get(TOKEN.type, tokenid)) {
          throw new DozoError(`token '${name}' of user '${userid}' does not exist.`);
        }
        return sections.without((section) => section.type === TOKEN.type && section.id === tokenid);
      }, digest);
      await config.tokenSecrets.update((hashes) => hashes.delete(tokenid) ? hashes : undefined);
      await config.acl.update((tree) => {
        tree.forget(tokenid);
        return tree;
      });
    },
  }),
];
