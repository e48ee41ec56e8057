/** `login`, `logout`, `version` and `status`. */
import { z } from "zod";
import { PBS_COMPAT } from "../../base/version.ts";
import { Server } from "../../client/server.ts";
import { command } from "../framework/command.ts";
import { printOut } from "../framework/print.ts";
import { terminalPrompts } from "../terminal.ts";
import { chosenFormat, formatJson, outputFormat } from "../output/format.ts";
import { renderUsage } from "../output/render.ts";
import { formatObject, tableStyle } from "../output/table.ts";
import { connect, hasRepository, repositoryOf, repositoryParams, storePath } from "./common.ts";

const login = command({
  path: "login",
  summary: "Try to login. If successful, store ticket.",
  params: z.object({ ...repositoryParams }),
  async run(params) {
    await Server.login(repositoryOf(params), terminalPrompts(), { fresh: true });
  },
});

const logout = command({
  path: "logout",
  summary: "Logout (delete stored ticket).",
  params: z.object({ ...repositoryParams }),
  run(params) {
    Server.logout(repositoryOf(params));
  },
});

const version = command({
  path: "version",
  summary: "Show client and optional server version",
  params: z.object({ ...repositoryParams, "output-format": outputFormat() }),
  async run(params) {
    const client = PBS_COMPAT;
    let server: typeof PBS_COMPAT | undefined;
    if (hasRepository(params)) server = await (await connect(params)).get<typeof PBS_COMPAT>("version");
    const format = chosenFormat(params["output-format"]);
    if (format === undefined) return;
    if (format !== "text") {
      printOut(formatJson({ client, server }, format === "json-pretty"));
      return;
    }
    printOut(`client version: ${client.version}.${client.release}\n`);
    if (server) printOut(`server version: ${server.version}.${server.release}\n`);
  },
});

const status = command({
  path: "status",
  summary: "Get repository status.",
  params: z.object({ ...repositoryParams, "output-format": outputFormat() }),
  async run(params) {
    const server = await connect(params);
    const data = await server.get<Record<"total" | "used" | "avail", number>>(storePath(server, "status"));
    const format = chosenFormat(params["output-format"]);
    if (format === undefined) return;
    if (format !== "text") {
      printOut(formatJson(data, format === "json-pretty"));
      return;
    }
    const rows = (["total", "used", "avail"] as const).map((key) =>
      [key, renderUsage(data[key], data.total), false] as const
    );
    printOut(formatObject(rows, { ...tableStyle(), header: false }));
  },
});

/** Commands about the connection itself. */
export const loginCommands = [login, logout, version, status];
