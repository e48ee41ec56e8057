/** The first administrator of a new installation. */
import { randomInt } from "node:crypto";
import type { AccessControl } from "../access/access_control.ts";
import { parseAuthId } from "../access/authid.ts";
import { DozoError, errorMessage } from "../base/errors.ts";
import type { ServerConfig } from "../config/server_config.ts";
import { USER } from "../config/users.ts";

/**
 * The user that is created when there is none yet. `root@pam` needs the machine's own password check, which a private
 * directory has no right to; this one has the Admin role on `/` and its password in dozo's own files.
 */
export const FIRST_ADMIN = "admin@pbs";

const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";

/** A password of five groups of four characters, 100 bits. */
function randomPassword(): string {
  const group = () => Array.from({ length: 4 }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
  return Array.from({ length: 5 }, group).join("-");
}

async function passwordFrom(file: string): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    throw new DozoError(`unable to read the administrator's password from '${file}': ${errorMessage(error)}`);
  }
  const password = text.split(/\r?\n/, 1)[0];
  if (password.length < 8 || password.length > 64) {
    throw new DozoError(`the administrator's password in '${file}' must have 8 to 64 characters (first line)`);
  }
  return password;
}

/**
 * Creates the first administrator when no user exists. Returns the password to show once, or undefined when nothing was
 * made or the password came from `passwordFile`.
 */
export async function createFirstAdmin(
  config: ServerConfig,
  access: AccessControl,
  passwordFile?: string,
): Promise<string | undefined> {
  if (config.users.read().value.all.some((section) => section.type === USER.type)) return undefined;
  const password = passwordFile === undefined ? randomPassword() : await passwordFrom(passwordFile);
  // Last comes what marks the installation as set up: a start that was interrupted is made good by the next one.
  await access.setPassword(parseAuthId(FIRST_ADMIN), password);
  await config.acl.update((tree) => {
    tree.grant("/", "user", FIRST_ADMIN, "Admin", true);
    return tree;
  });
  await config.users.update((sections) => sections.with(USER.create(FIRST_ADMIN, { comment: "first administrator" })));
  return passwordFile === undefined ? password : undefined;
}
