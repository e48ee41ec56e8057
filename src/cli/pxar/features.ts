/** The `--no-…` options that creating and extracting share. */
import { DEFAULT_FEATURES, type Features } from "../../archive/features.ts";
import { bool } from "../../config/schema/mod.ts";

/** Options that leave attributes and kinds of entries out. */
export const featureParams = {
  "no-acls": bool().default(false),
  "no-device-nodes": bool().default(false),
  "no-fcaps": bool().default(false),
  "no-fifos": bool().default(false),
  "no-sockets": bool().default(false),
  "no-xattrs": bool().default(false),
};

/** What remains. */
export function featuresOf(params: Readonly<Record<keyof typeof featureParams, boolean>>): Features {
  return {
    ...DEFAULT_FEATURES,
    acls: !params["no-acls"],
    devices: !params["no-device-nodes"],
    fcaps: !params["no-fcaps"],
    fifos: !params["no-fifos"],
    sockets: !params["no-sockets"],
    xattrs: !params["no-xattrs"],
  };
}
