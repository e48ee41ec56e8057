/** The machine: status and subscription (`spec/rest-conventions.md` §7). */
import { statfsSync } from "node:fs";
import { cpus, loadavg, uptime } from "node:os";
import { z } from "zod";
import { fingerprintOf } from "../../config/certificate.ts";
import { nodeName } from "../../config/schema/mod.ts";
import { method } from "../method.ts";

/** A number from `/proc/meminfo`, bytes. */
function memoryValue(meminfo: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(meminfo)?.[1] ?? 0) * 1024;
}

function readProc(path: string): string {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return "";
  }
}

/** Jiffies since boot: in all, idle, waiting for disks. */
function cpuTimes(): { total: number; idle: number; wait: number } {
  const values = readProc("/proc/stat").split("\n", 1)[0].split(/\s+/).slice(1, 9).map(Number);
  return { total: values.reduce((sum, value) => sum + value, 0), idle: values[3] ?? 0, wait: values[4] ?? 0 };
}

let last = { at: 0, times: cpuTimes(), cpu: 0, wait: 0 };

/** Use of the processors since the last call, 0 to 1; calls within a second see the same. */
function cpuUse(): { cpu: number; wait: number } {
  const now = Date.now();
  if (now - last.at < 1000) return last;
  const times = cpuTimes();
  const total = times.total - last.times.total;
  if (total <= 0) return last;
  const idle = times.idle - last.times.idle;
  const wait = times.wait - last.times.wait;
  last = { at: now, times, cpu: Math.max(0, (total - idle - wait) / total), wait: Math.max(0, wait / total) };
  return last;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

export const NODE_METHODS = [
  method({
    verb: "GET",
    path: "/nodes",
    description: "The nodes that this server manages: itself.",
    params: z.object({}),
    permission: { user: "root@pam" },
    handler: (_, { services }) => [{ node: services.node }],
  }),
  method({
    verb: "GET",
    path: "/nodes/{node}/status",
    description: "Load, memory, root disk, kernel and certificate of the machine.",
    params: z.object({ node: nodeName() }),
    returns: z.looseObject({ uptime: z.int(), kversion: z.string() }),
    permission: { check: { path: ["system", "status"], privs: ["Sys.Audit"], any: false } },
    handler: async (_, { services }) => {
      const meminfo = readProc("/proc/meminfo");
      const memory = { total: memoryValue(meminfo, "MemTotal"), available: memoryValue(meminfo, "MemAvailable") };
      const swap = { total: memoryValue(meminfo, "SwapTotal"), free: memoryValue(meminfo, "SwapFree") };
      const root = statfsSync("/");
      const { cpu, wait } = cpuUse();
      const [release, version] = [readProc("/proc/sys/kernel/osrelease"), readProc("/proc/sys/kernel/version")];
      const processors = cpus();
      const sockets = new Set(readProc("/proc/cpuinfo").match(/^physical id\s*:.*$/gm) ?? [""]).size;
      const chain = await Deno.readTextFile(`${services.config.directories.etc}/proxy.pem`);
      return {
        cpu,
        wait,
        uptime: Math.floor(uptime()),
        loadavg: loadavg().map((load) => Math.round(load * 100) / 100),
        memory: { total: memory.total, used: memory.total - memory.available, free: memoryValue(meminfo, "MemFree") },
        swap: { total: swap.total, used: swap.total - swap.free, free: swap.free },
        root: {
          total: root.blocks * root.bsize,
          used: (root.blocks - root.bfree) * root.bsize,
          avail: root.bavail * root.bsize,
        },
        cpuinfo: { model: processors[0]?.model ?? "unknown", sockets, cpus: processors.length },
        kversion: `Linux ${release} ${version}`,
        "current-kernel": { sysname: "Linux", release, version, machine: Deno.build.arch },
        "boot-info": { mode: exists("/sys/firmware/efi") ? "efi" : "legacy-bios", secureboot: false },
        info: { fingerprint: fingerprintOf(chain) },
      };
    },
  }),
  method({
    verb: "GET",
    path: "/nodes/{node}/subscription",
    description: "dozo needs no subscription; the form of the answer is what clients expect.",
    params: z.object({ node: nodeName() }),
    returns: z.looseObject({ status: z.string() }),
    permission: { user: "all" },
    handler: () => ({ status: "notfound", message: "There is no subscription key" }),
  }),
];
