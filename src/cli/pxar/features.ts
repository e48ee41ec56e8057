/** The `--no-…` options that creating and extracting share. */
import { flag } from "../flag.ts";
import { DEFAULT_FEATURES, type Features } from "../../archive/features.ts";

/** Options that leave attributes and kinds of entries out. */
export const featureParams = {
  "no-acls": flag("Leave out access control lists."),
  "no-device-nodes": flag("Leave out devices."),
  "no-fcaps": flag("Leave out file capabilities."),
  "no-fifos": flag("Leave out pipes."),
  "no-sockets": flag("Leave out sockets."),
  "no-xattrs": flag("Leave out extended attributes."),
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
