/** Login and logout (`spec/auth.md` §3). */
import { z } from "zod";
import { cookieValue, EXPIRED_COOKIE, HOST_COOKIE } from "../../access/credentials.ts";
import { ticketInfo } from "../../access/ticket.ts";
import { DozoError } from "../../base/errors.ts";
import { flag, integer, text, userid } from "../../config/schema/mod.ts";
import { JsonResult, method, type RequestContext } from "../method.ts";

/** Members beside `data` that calls with cookies have in both formats. */
const COOKIE_ATTRIBUTES = { status: 200, success: true } as const;

function cookieTicket(context: RequestContext): string | undefined {
  const value = cookieValue(context.header("cookie") ?? "", HOST_COOKIE);
  if (value === undefined) return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

export const TICKET_METHODS = [
  method({
    verb: "POST",
    path: "/access/ticket",
    description: "Log in with a password or renew a ticket.",
    params: z.object({
      username: userid(),
      password: text({ max: 4096 }).optional(),
      "http-only": flag(),
      path: text().optional(),
      privs: text().optional(),
      port: integer(0, 65535).optional(),
      "tfa-challenge": text().optional(),
    }),
    returns: z.object({
      username: userid(),
      ticket: z.string().optional(),
      "ticket-info": z.string().optional(),
      CSRFPreventionToken: z.string().optional(),
    }),
    permission: { user: "world" },
    protected: true,
    handler: async (params, context) => {
      const httpOnly = params["http-only"];
      const password = params.password ?? (httpOnly ? cookieTicket(context) : undefined);
      if (password === undefined) throw new DozoError("no password provided");
      const login = await context.services.access.login(
        params.username,
        password,
        context.peer,
        params["tfa-challenge"],
      );
      const data = { username: login.userid, CSRFPreventionToken: login.csrf ?? "invalid" };
      const type = { "content-type": "application/json" };
      if (!httpOnly || login.csrf === undefined) {
        return new JsonResult({ ...data, ticket: login.ticket }, COOKIE_ATTRIBUTES, type);
      }
      const cookie = `${HOST_COOKIE}=${login.ticket}; Secure; SameSite=Lax; HttpOnly; Path=/;`;
      return new JsonResult({ ...data, "ticket-info": ticketInfo(login.ticket) }, COOKIE_ATTRIBUTES, {
        ...type,
        "set-cookie": cookie,
      });
    },
  }),
  method({
    verb: "DELETE",
    path: "/access/ticket",
    description: "Log a browser out.",
    params: z.object({}),
    permission: { user: "world" },
    protected: true,
    handler: () => new JsonResult({}, COOKIE_ATTRIBUTES, { "set-cookie": EXPIRED_COOKIE }),
  }),
];
