import { bool } from "../config/schema/mod.ts";

/** A yes/no option that is off unless given. */
export function flag(description: string) {
  return bool().default(false).meta({ description });
}
