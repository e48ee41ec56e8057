/** All configuration of one server, below its directories. */
import { join } from "node:path";
import { AclTree } from "./acl.ts";
import type { FileOwner } from "./atomic_file.ts";
import { ConfigFile } from "./config_file.ts";
import type { Directories } from "./directories.ts";
import { parseSecondFactors, type SecondFactorFile } from "./second_factors.ts";
import { formatHashes, parseHashes } from "./secret_files.ts";
import { Sections } from "./section_type.ts";

/** The identity for which `acl.cfg` needs no lines. */
const SUPERUSER = "root@pam";

/** The typed files. Reading is cached by file state, so a change by any process is seen at once. */
export class ServerConfig {
  readonly users: ConfigFile<Sections>;
  readonly datastores: ConfigFile<Sections>;
  readonly domains: ConfigFile<Sections>;
  readonly acl: ConfigFile<AclTree>;
  /** Password hashes of the `pbs` realm by name. */
  readonly passwords: ConfigFile<Map<string, string>>;
  /** Secret hashes by token id. */
  readonly tokenSecrets: ConfigFile<Map<string, string>>;

  /** Second factors of users. */
  readonly secondFactors: ConfigFile<SecondFactorFile>;

  /** `isRole` tells the role names that `acl.cfg` may hold. `owner`: service user of an appliance. */
  constructor(readonly directories: Directories, isRole: (name: string) => boolean, owner?: FileOwner) {
    const etc = directories.etc;
    const sections = (name: string) => {
      const path = join(etc, `${name}.cfg`);
      return new ConfigFile<Sections>({
        path,
        lockPath: join(etc, `.${name}.lck`),
        mode: 0o640,
        owner,
        parse: (text) => Sections.parse(text, path),
        format: (value) => value.format(),
      });
    };
    const hashes = (name: string, mode: number, indent: number) => {
      const path = join(etc, name);
      return new ConfigFile<Map<string, string>>({
        path,
        lockPath: join(etc, `${name}.lock`),
        mode,
        owner,
        parse: (text) => parseHashes(text, path),
        format: (value) => formatHashes(value, indent),
      });
    };
    this.users = sections("user");
    this.datastores = sections("datastore");
    this.domains = sections("domains");
    this.passwords = hashes("shadow.json", 0o600, 2);
    this.tokenSecrets = hashes("token.shadow", 0o640, 0);
    const factorsPath = join(etc, "tfa.json");
    this.secondFactors = new ConfigFile<SecondFactorFile>({
      path: factorsPath,
      lockPath: `${factorsPath}.lock`,
      mode: 0o600,
      owner,
      parse: (text) => parseSecondFactors(text, factorsPath),
      format: (value) => JSON.stringify(value),
    });
    const aclPath = join(etc, "acl.cfg");
    this.acl = new ConfigFile<AclTree>({
      path: aclPath,
      lockPath: join(etc, ".acl.lck"),
      mode: 0o640,
      owner,
      parse: (text) => AclTree.parse(text, aclPath, isRole),
      format: (value) => value.format(SUPERUSER),
    });
  }
}
