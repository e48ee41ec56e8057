/** Tasks: list, status, log, abort (`spec/rest-conventions.md` §14). */
import { z } from "zod";
import { parseAuthId, tryParseAuthId } from "../../access/authid.ts";
import type { Caller } from "../../access/caller.ts";
import { datastoreAclPath } from "../../access/caller.ts";
import { DozoError } from "../../base/errors.ts";
import { choice, flag, integer, list, nodeName, storeName, text, upid } from "../../config/schema/mod.ts";
import { parseUpid } from "../../formats/upid.ts";
import { JsonResult, method, RawResult } from "../method.ts";

interface TaskIdentity {
  readonly workerType: string;
  readonly workerId: string | null;
  readonly authId: string;
}

/** Store and namespace of a worker id such as `store1`, `store1:a/b` or `store1:a/b:vm/100`. */
function storePath(workerId: string): string {
  const [store, ns = ""] = workerId.split(":");
  return datastoreAclPath(store, /^(vm|ct|host)\//.test(ns) ? "" : ns);
}

/** Whether the caller may see a task: all with audit rights, the own ones, and jobs on stores that it may run itself. */
function maySee(caller: Caller, task: TaskIdentity): boolean {
  if (caller.hasAny("/system/tasks", "Sys.Audit")) return true;
  if (task.authId === caller.authid) return true;
  const owner = tryParseAuthId(task.authId);
  if (owner?.token !== undefined && owner.userid === caller.authid) return true;
  if (task.workerId === null) return false;
  switch (task.workerType) {
    case "verificationjob":
      return caller.hasAny(storePath(task.workerId.split(":")[0]), "Datastore.Verify");
    case "garbage_collection":
    case "prune":
    case "prunejob":
      return caller.hasAny(storePath(task.workerId), "Datastore.Modify");
    default:
      return false;
  }
}

function requireSee(caller: Caller, text: string): void {
  if (!maySee(caller, parseUpid(text))) throw new DozoError("task access not allowed");
}

const NODE = { node: nodeName() };
const TASK = { ...NODE, upid: upid() };

export const TASK_METHODS = [
  method({
    verb: "GET",
    path: "/nodes/{node}/tasks",
    description: "Tasks, newest first.",
    params: z.object({
      ...NODE,
      start: integer(0).default(0),
      limit: integer(0).default(50),
      store: storeName().optional(),
      running: flag(),
      errors: flag(),
      userfilter: text().optional(),
      typefilter: text().optional(),
      since: integer().optional(),
      until: integer().optional(),
      statusfilter: list(choice(["ok", "warning", "error", "unknown"])).optional(),
    }),
    returns: z.array(z.looseObject({ upid: z.string(), worker_type: z.string(), user: z.string() })),
    permission: { user: "all" },
    handler: async (params, { services, caller }) => {
      const { tasks, total } = await services.tasks.list({
        start: params.start,
        limit: params.limit,
        store: params.store,
        running: params.running,
        errors: params.errors,
        user: params.userfilter,
        type: params.typefilter,
        since: params.since,
        until: params.until,
        statuses: params.statusfilter,
        visible: (entry) => maySee(caller, entry),
      });
      const rows = tasks.map((task) => ({
        upid: task.upid,
        node: params.node,
        pid: task.pid,
        pstart: task.pstart,
        starttime: task.startTime,
        worker_type: task.workerType,
        worker_id: task.workerId,
        user: task.authId,
        ...(task.endTime === undefined ? {} : { endtime: task.endTime }),
        ...(task.status === undefined ? {} : { status: task.status }),
      }));
      return new JsonResult(rows, { total });
    },
  }),
  method({
    verb: "DELETE",
    path: "/nodes/{node}/tasks/{upid}",
    description: "Ask a task to stop.",
    params: z.object(TASK),
    permission: { user: "all" },
    protected: true,
    handler: async ({ upid }, { services, caller }) => {
      const task = parseUpid(upid);
      if (task.authId !== caller.authid && !caller.hasAny("/system/tasks", "Sys.Modify")) {
        throw new DozoError("permission check failed - missing Sys.Modify on /system/tasks", { status: 403 });
      }
      await services.tasks.requestAbort(upid);
    },
  }),
  method({
    verb: "GET",
    path: "/nodes/{node}/tasks/{upid}/status",
    description: "Whether a task runs, and how it ended.",
    params: z.object(TASK),
    returns: z.looseObject({ upid: z.string(), status: z.string() }),
    permission: { user: "all" },
    handler: async ({ upid }, { services, caller }) => {
      requireSee(caller, upid);
      const task = parseUpid(upid);
      const { userid, token } = parseAuthId(task.authId);
      const result = await services.tasks.result(upid);
      return {
        upid,
        node: task.node,
        pid: task.pid,
        pstart: task.pstart,
        starttime: task.startTime,
        type: task.workerType,
        ...(task.workerId === null ? {} : { id: task.workerId }),
        user: userid,
        ...(token === undefined ? {} : { tokenid: token }),
        status: result ? "stopped" : "running",
        ...(result ? { exitstatus: result.status } : {}),
        ...(result?.endTime === undefined ? {} : { endtime: result.endTime }),
      };
    },
  }),
  method({
    verb: "GET",
    path: "/nodes/{node}/tasks/{upid}/log",
    description: "Lines of a task's log, or the whole file.",
    params: z.object({
      ...TASK,
      start: integer(0).optional(),
      limit: integer(0).optional(),
      "test-status": flag(),
      download: flag(),
    }),
    permission: { user: "all" },
    handler: async ({ upid, start, limit, download, ...more }, { services, caller }) => {
      requireSee(caller, upid);
      if (download) {
        if (start !== undefined || limit !== undefined || more["test-status"]) {
          throw new DozoError("Parameter 'download' cannot be used with other parameters");
        }
        return await wholeLog(services.tasks.logPath(upid), upid);
      }
      const active = more["test-status"] ? { active: await services.tasks.isRunning(upid) } : {};
      const { lines, total } = await services.tasks.readLog(upid, start ?? 0, limit ?? 50);
      // The same shape in both formats: the tools that follow a log read it as it is.
      return new RawResult(JSON.stringify({ data: lines, success: 1, total, ...active }), {
        "content-type": "application/json",
      });
    },
  }),
];

async function wholeLog(path: string, upid: string): Promise<RawResult> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch {
    throw new DozoError("No such file or directory (os error 2)");
  }
  const { node, workerType, startTime } = parseUpid(upid);
  const time = new Date(startTime * 1000).toISOString().replace(/\.\d+Z$/, "Z");
  return new RawResult(file.readable, {
    "content-type": "text/plain",
    "content-disposition": `attachment; filename=task-${node}-${workerType}-${time}.log`,
  });
}
