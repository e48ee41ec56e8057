/** `user.cfg`: users and API tokens (`spec/config-files.md` §16). */
import { z } from "zod";
import { bool, comment, integer, text } from "./schema/mod.ts";
import { SectionType } from "./section_type.ts";

const name = () => text({ min: 2, max: 64, pattern: /^\P{Cc}*$/u });

/** Fields of a user beside its id; the same ones are parameters of the API. */
export const USER_FIELDS = {
  comment: comment().optional(),
  /** False: the user cannot log in. */
  enable: bool().optional(),
  /** Unix seconds after which the user cannot log in; 0: never. */
  expire: integer(0).optional(),
  firstname: name().optional(),
  lastname: name().optional(),
  email: name().optional(),
};

/** Fields of a token beside its id. */
export const TOKEN_FIELDS = {
  comment: USER_FIELDS.comment,
  enable: USER_FIELDS.enable,
  expire: USER_FIELDS.expire,
};

export const USER = new SectionType("user", "userid", z.object(USER_FIELDS));
export const TOKEN = new SectionType("token", "tokenid", z.object(TOKEN_FIELDS));
