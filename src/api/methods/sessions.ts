/** Opening backup and reader sessions (`spec/backup-protocol.md` §2 and §3, `spec/reader-protocol.md` §1). */
import { z } from "zod";
import { errorMessage } from "../../base/errors.ts";
import { openBackupSession } from "../../protocol/backup_server/open.ts";
import { openReaderSession } from "../../protocol/reader_server/open.ts";
import type { SessionHost, UpgradedSession, UpgradeRequest } from "../../protocol/session/types.ts";
import { method, type RequestContext, UpgradeResult } from "../method.ts";

function hostFor({ services, caller }: RequestContext): SessionHost {
  return {
    caller: caller.authid,
    hasPrivilege: (privilege, path) => caller.hasAny(`/${path.join("/")}`, privilege),
    openStore: (name, access) => services.datastores.lease(name, access),
  };
}

function requestOf(context: RequestContext): UpgradeRequest {
  return {
    query: context.query,
    upgrade: context.header("upgrade"),
    httpVersion: context.httpVersion,
    peer: /^\[(.*)\]:\d+$/.exec(context.peer)?.[1] ?? context.peer,
  };
}

/** A session as the answer of an upgrade: it becomes a task as soon as it has its socket. */
function asTask(session: UpgradedSession, { services, caller }: RequestContext): UpgradeResult {
  return new UpgradeResult(session.protocol, async (socket, head) => {
    let log;
    try {
      log = await services.tasks.start({ type: session.workerType, id: session.workerId, authId: caller.authid });
    } catch (error) {
      console.error(`unable to start task '${session.workerType}:${session.workerId}': ${errorMessage(error)}`);
      await session.cancel();
      socket.destroy();
      return;
    }
    const task = log;
    const abort = () =>
      session.abort(task.signal.reason instanceof Error ? task.signal.reason : new Error("abort requested"));
    task.signal.addEventListener("abort", abort);
    if (task.signal.aborted) abort();
    try {
      await session.serve(socket, head, { line: (text) => task.log(text) });
      await task.finish();
    } catch (error) {
      await task.finish(error);
    } finally {
      task.signal.removeEventListener("abort", abort);
    }
  }, () => session.cancel());
}

export const SESSION_METHODS = [
  method({
    verb: "GET",
    path: "/backup",
    description: "Upgrade to a backup session.",
    params: z.looseObject({}),
    permission: { user: "all" },
    kind: "upgrade",
    handler: async (_, context) => asTask(await openBackupSession(requestOf(context), hostFor(context)), context),
  }),
  method({
    verb: "GET",
    path: "/reader",
    description: "Upgrade to a reader session.",
    params: z.looseObject({}),
    permission: { user: "all" },
    kind: "upgrade",
    handler: async (_, context) => asTask(await openReaderSession(requestOf(context), hostFor(context)), context),
  }),
];
