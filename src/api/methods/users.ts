/** Users (`spec/auth.md` §10). */
import { z } from "zod";
import { parseAuthId, SUPERUSER } from "../../access/authid.ts";
import { DozoError } from "../../base/errors.ts";
import { deleteList, flag, ParameterError, sha256Hex, text, userid } from "../../config/schema/mod.ts";
import { TOKEN, USER, USER_FIELDS } from "../../config/users.ts";
import { JsonResult, method, type RequestContext } from "../method.ts";
import { SELF_OR_AUDIT, SELF_OR_MODIFY, USERS_MODIFY } from "./user_permissions.ts";

const USER_INFO = z.object({ userid: userid(), ...USER_FIELDS });
const TOKEN_INFO = z.object({ tokenid: z.string(), ...TOKEN.schema.shape });

/** Texts without their surrounding blanks; an empty one removes the property. */
function trimmed<T extends Record<string, unknown>>(values: T): T {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, typeof value === "string" ? value.trim() : value]),
  ) as T;
}

/** Names of properties whose default was given: they are not written. */
export function defaultsToRemove(values: { readonly enable?: boolean; readonly expire?: number }): string[] {
  return [...(values.enable === true ? ["enable"] : []), ...(values.expire === 0 ? ["expire"] : [])];
}

function withoutDefaults<T extends { readonly enable?: boolean; readonly expire?: number }>(values: T): T {
  return {
    ...values,
    ...(values.enable === true ? { enable: undefined } : {}),
    ...(values.expire === 0 ? { expire: undefined } : {}),
  };
}

function mayAudit(context: RequestContext): boolean {
  return context.caller.hasAny("/access/users", "Sys.Audit");
}

export const USER_METHODS = [
  method({
    verb: "GET",
    path: "/access/users",
    description: "List users; without audit rights only the own one.",
    params: z.object({ include_tokens: flag() }),
    returns: z.array(USER_INFO.extend({ tokens: z.array(TOKEN_INFO).optional() })),
    permission: { user: "all" },
    protected: true,
    handler: ({ include_tokens }, context) => {
      const { value, digest } = context.services.config.users.read();
      const all = mayAudit(context);
      const users = USER.list(value).filter((user) => all || user.userid === context.caller.id.userid);
      if (!include_tokens) return new JsonResult(users, { digest });
      const tokens = Map.groupBy(TOKEN.list(value), (token) => parseAuthId(String(token.tokenid)).userid);
      const listed = users.map((user) => {
        const own = tokens.get(String(user.userid));
        return own ? { ...user, tokens: own } : user;
      });
      return new JsonResult(listed, { digest });
    },
  }),
  method({
    verb: "POST",
    path: "/access/users",
    description: "Create a user.",
    params: z.object({
      userid: userid(),
      ...USER_FIELDS,
      password: text({ min: 8, max: 64, pattern: /^\P{Cc}*$/u }).optional(),
    }),
    permission: USERS_MODIFY,
    protected: true,
    handler: async ({ userid, password, ...fields }, { services }) => {
      const id = parseAuthId(userid);
      if (id.realm !== "pbs" && id.realm !== "pam") {
        throw ParameterError.of("userid", `realm '${id.realm}' does not exist`);
      }
      if (password !== undefined && id.realm !== "pbs") {
        throw ParameterError.of("password", `a password cannot be set in realm '${id.realm}'`);
      }
      await services.config.users.update((sections) => {
        if (sections.get(USER.type, userid)) throw new DozoError(`user '${userid}' already exists.`);
        return sections.with(USER.create(userid, trimmed(withoutDefaults(fields))));
      });
      if (password !== undefined) await services.access.setPassword(id, password);
    },
  }),
  method({
    verb: "GET",
    path: "/access/users/{userid}",
    description: "One user.",
    params: z.object({ userid: userid() }),
    returns: USER_INFO,
    permission: SELF_OR_AUDIT,
    handler: ({ userid }, { services }) => {
      const { value, digest } = services.config.users.read();
      const section = value.get(USER.type, userid);
      if (!section) throw new DozoError(`no such user '${userid}'`);
      return new JsonResult(USER.read(section), { digest });
    },
  }),
  method({
    verb: "PUT",
    path: "/access/users/{userid}",
    description: "Change a user. A password is not changed here but by `access/password`.",
    params: z.object({
      userid: userid(),
      ...USER_FIELDS,
      password: text({ min: 1, max: 1024 }).optional(),
      delete: deleteList(["comment", "firstname", "lastname", "email"]),
      digest: sha256Hex().optional(),
    }),
    permission: SELF_OR_MODIFY,
    protected: true,
    handler: async ({ userid, digest, delete: remove, ...fields }, { services }) => {
      await services.config.users.update((sections) => {
        const section = sections.get(USER.type, userid);
        if (!section) throw new DozoError(`no such user '${userid}'`);
        const dropped = [...(remove ?? []), ...defaultsToRemove(fields)];
        return sections.with(USER.change(section, trimmed(withoutDefaults(fields)), dropped));
      }, digest);
    },
  }),
  method({
    verb: "DELETE",
    path: "/access/users/{userid}",
    description: "Remove a user with password, tokens and access rules.",
    params: z.object({ userid: userid(), digest: sha256Hex().optional() }),
    permission: SELF_OR_MODIFY,
    protected: true,
    handler: async ({ userid, digest }, { services }) => {
      const { config } = services;
      const id = parseAuthId(userid);
      const gone: string[] = [userid];
      await config.users.update((sections) => {
        if (!sections.get(USER.type, userid)) throw new DozoError(`user '${userid}' does not exist.`);
        return sections.without((section) => {
          const isToken = section.type === TOKEN.type && parseAuthId(section.id).userid === userid;
          if (isToken) gone.push(section.id);
          return isToken || (section.type === USER.type && section.id === userid);
        });
      }, digest);
      if (id.realm === "pbs") await config.passwords.update((hashes) => hashes.delete(id.name) ? hashes : undefined);
      await config.secondFactors.update((file) => {
        if (!file.users || !Object.hasOwn(file.users, userid)) return undefined;
        delete file.users[userid];
        return file;
      });
      await config.tokenSecrets.update((hashes) =>
        gone.filter((one) => hashes.delete(one)).length > 0 ? hashes : undefined
      );
      await config.acl.update((tree) => {
        gone.forEach((one) => tree.forget(one));
        return tree;
      });
    },
  }),
  method({
    verb: "PUT",
    path: "/access/password",
    description: "Change a password: the own one, or with the right to modify users another's.",
    params: z.object({
      userid: userid(),
      password: text({ min: 8, max: 64, pattern: /^\P{Cc}*$/u }),
      "confirmation-password": text({ min: 1, max: 1024 }).optional(),
    }),
    permission: { user: "all" },
    protected: true,
    handler: async ({ userid, password, "confirmation-password": confirmation }, { services, caller }) => {
      if (caller.id.token !== undefined) {
        throw new DozoError("API tokens cannot access this API endpoint", { status: 403 });
      }
      const mayModify = caller.isSuperuser || caller.hasAll("/access/users", "Permissions.Modify");
      if (userid !== caller.authid && !mayModify) throw new DozoError("you are not authorized to change the password.");
      const id = parseAuthId(userid);
      if (!services.access.isActive(id)) throw new DozoError(`user '${userid}' is inactive or non-existent`);
      if (caller.authid !== SUPERUSER) {
        if (confirmation === undefined) throw new DozoError("missing password confirmation", { status: 401 });
        await services.access.confirmPassword(caller.id, confirmation);
      }
      await services.access.setPassword(id, password);
    },
  }),
  method({
    verb: "GET",
    path: "/access/domains",
    description: "Realms that users can belong to.",
    params: z.object({}),
    permission: { user: "world" },
    handler: (_, { services }) => {
      const { value, digest } = services.config.domains.read();
      const comment = value.get("pbs", "pbs")?.properties.get("comment")?.[0] ?? "dozo authentication server";
      return new JsonResult([{ realm: "pbs", type: "pbs", comment }], { digest });
    },
  }),
];
