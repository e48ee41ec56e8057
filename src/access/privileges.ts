/** Privileges and the built-in roles (`spec/auth.md` §11 and §12). A set of privileges is a bit mask. */

/** Names in the order in which PBS lists them; the index is the bit. */
export const PRIVILEGES = [
  "Sys.Audit",
  "Sys.Modify",
  "Sys.PowerManagement",
  "Datastore.Audit",
  "Datastore.Allocate",
  "Datastore.Modify",
  "Datastore.Read",
  "Datastore.Verify",
  "Datastore.Backup",
  "Datastore.Prune",
  "Permissions.Modify",
  "Remote.Audit",
  "Remote.Modify",
  "Remote.Read",
  "Remote.DatastoreBackup",
  "Remote.DatastoreModify",
  "Remote.DatastorePrune",
  "Sys.Console",
  "Tape.Audit",
  "Tape.Modify",
  "Tape.Write",
  "Tape.Read",
  "Realm.Allocate",
] as const;

/** Name of one privilege. */
export type Privilege = typeof PRIVILEGES[number];

const BITS: ReadonlyMap<string, number> = new Map(PRIVILEGES.map((name, bit) => [name, 1 << bit]));

/** Mask of the given privileges. */
export function privilegeMask(...names: readonly Privilege[]): number {
  return names.reduce((mask, name) => mask | (BITS.get(name) ?? 0), 0);
}

/** Names of the privileges in `mask`, in listing order. */
export function privilegeNames(mask: number): Privilege[] {
  return PRIVILEGES.filter((_, bit) => (mask & (1 << bit)) !== 0);
}

/** Every privilege. */
export const ALL_PRIVILEGES = 2 ** PRIVILEGES.length - 1;

/** Any of these makes a namespace visible to its holder (§13.4). */
export const NAMESPACE_VISIBLE = privilegeMask(
  "Datastore.Audit",
  "Datastore.Modify",
  "Datastore.Read",
  "Datastore.Backup",
);

interface Role {
  readonly comment: string;
  readonly mask: number;
}

function role(comment: string, ...names: readonly Privilege[]): Role {
  return { comment, mask: privilegeMask(...names) };
}

/** The fixed roles in the order in which PBS lists them. */
export const ROLES = {
  Admin: { comment: "Administrator", mask: ALL_PRIVILEGES },
  Audit: role("Auditor", "Sys.Audit", "Datastore.Audit"),
  NoAccess: role("Disable Access"),
  DatastoreAdmin: role(
    "Datastore Administrator",
    "Datastore.Audit",
    "Datastore.Modify",
    "Datastore.Read",
    "Datastore.Verify",
    "Datastore.Backup",
    "Datastore.Prune",
  ),
  DatastoreReader: role(
    "Datastore Reader (inspect datastore content and do restores)",
    "Datastore.Audit",
    "Datastore.Verify",
    "Datastore.Read",
  ),
  DatastoreBackup: role("Datastore Backup (backup and restore owned backups)", "Datastore.Backup"),
  DatastorePowerUser: role(
    "Datastore PowerUser (backup, restore and prune owned backup)",
    "Datastore.Prune",
    "Datastore.Backup",
  ),
  DatastoreAudit: role("Datastore Auditor", "Datastore.Audit"),
  RemoteAudit: role("Remote Auditor", "Remote.Audit"),
  RemoteAdmin: role("Remote Administrator", "Remote.Audit", "Remote.Modify", "Remote.Read"),
  RemoteSyncOperator: role("Synchronization Operator", "Remote.Audit", "Remote.Read"),
  RemoteSyncPushOperator: role("Synchronisation Operator (push direction)", "Remote.Audit", "Remote.DatastoreBackup"),
  RemoteDatastorePowerUser: role(
    "Remote Datastore Prune",
    "Remote.Audit",
    "Remote.DatastoreBackup",
    "Remote.DatastorePrune",
  ),
  RemoteDatastoreAdmin: role(
    "Remote Datastore Admin",
    "Remote.Audit",
    "Remote.DatastoreBackup",
    "Remote.DatastoreModify",
    "Remote.DatastorePrune",
  ),
  TapeAudit: role("Tape Auditor", "Tape.Audit"),
  TapeAdmin: role("Tape Administrator", "Tape.Audit", "Tape.Modify", "Tape.Read", "Tape.Write"),
  TapeOperator: role("Tape Operator", "Tape.Audit", "Tape.Read", "Tape.Write"),
  TapeReader: role("Tape Reader", "Tape.Audit", "Tape.Read"),
} as const satisfies Record<string, Role>;

/** Name of a role. */
export type RoleName = keyof typeof ROLES;

/** All role names. */
export const ROLE_NAMES = Object.keys(ROLES) as [RoleName, ...RoleName[]];

/** True for the name of a role. */
export function isRole(name: string): name is RoleName {
  return Object.hasOwn(ROLES, name);
}
